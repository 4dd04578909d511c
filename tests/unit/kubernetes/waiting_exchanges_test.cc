// Exchanges seen before their pod is known: the way from the watch's updates through the naming to
// the windows, as the pipeline's loop goes it, and the same once more from what a recording holds.
#include <gmock/gmock.h>

#include "agent/capture/target_message.h"
#include "agent/naming/kubernetes/pod_naming.h"
#include "agent/naming/kubernetes/pod_reader.h"
#include "agent/request_pipeline/request_pipeline.h"
#include "tests/unit/kubernetes/recorded.h"
#include "tests/unit/request_pipeline/synthetic_exchanges.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using testing::exchange_of;
using testing::kStart;

// What a recording holds, in order.
struct Step {
  std::optional<TargetMessage> target;
  std::optional<Exchange> exchange;
};

struct Counts {
  std::map<std::string, std::uint64_t> by_service;
  std::uint64_t held = 0;
  std::uint64_t late = 0;
  bool operator==(const Counts&) const = default;
};

class Windows {
 public:
  Windows() {
    RequestPipelineOptions options;
    options.id_seed = {1, 2, 3};
    pipeline_ = std::make_unique<RequestPipeline>(options, counters_);
    pipeline_->begin(kStart);
  }
  RequestPipeline& pipeline() { return *pipeline_; }
  Counters& counters() { return counters_; }

  Counts end() {
    pipeline_->release_held();
    const auto window = pipeline_->close_window(kStart + 60s);
    Counts counts{.by_service = {},
                  .held = counters_.get(Counter::kTargetsHeld),
                  .late = counters_.get(Counter::kTargetsLate)};
    for (const auto& series : window.series)
      if (series.key.kind == MetricKind::kServerDuration)
        counts.by_service[window.targets.at(series.key.target)->service_name] +=
            series.delta.count();
    return counts;
  }

 private:
  Counters counters_;
  std::unique_ptr<RequestPipeline> pipeline_;
};

class WaitingExchanges : public ::testing::Test {
 protected:
  void see_process(std::uint32_t tgid, Duration at) {
    naming_.on_target(exa::target_of(tgid, kAppId, kAppUid), kStart + at);
  }
  void see_request(std::uint32_t tgid, Duration at) {
    const auto exchange = exchange_of({.tgid = tgid, .at = at, .sequence = ++sequence_});
    recording_.push_back({.target = std::nullopt, .exchange = exchange});
    live_.pipeline().on_exchange(exchange);
  }
  void tell_pods() {
    ASSERT_TRUE(updates_.push({.kind = PodUpdate::Kind::kListBegan, .pod = {}}));
    const auto page = read_pod_page(recorded("pods-node-a.json"));
    for (const auto& pod : page->pods)
      ASSERT_TRUE(updates_.push({.kind = PodUpdate::Kind::kPod, .pod = pod}));
    ASSERT_TRUE(updates_.push({.kind = PodUpdate::Kind::kListEnded, .pod = {}}));
  }
  void advance(Duration to) { naming_.advance(kStart + to); }

  Counts replayed() {
    Windows again;
    for (const auto& step : recording_) {
      if (step.target) again.pipeline().on_target(*decode_target(*step.target));
      if (step.exchange) again.pipeline().on_exchange(*step.exchange);
    }
    return again.end();
  }

  Windows live_;
  std::vector<Step> recording_;
  PodUpdates updates_{1024};
  PodNaming naming_{{}, updates_, live_.counters(), [this](const Target& target) {
                      const auto message = encode_target(target);
                      recording_.push_back({.target = message, .exchange = {}});
                      live_.pipeline().on_target(*decode_target(message));
                    }};
  std::uint32_t sequence_ = 0;
};

TEST_F(WaitingExchanges, GoOutUnderTheirPodIfItComesInTime) {
  see_process(100, 1s);
  for (int i = 0; i < 5; ++i)
    see_request(100, 1s);
  advance(1500ms);
  EXPECT_EQ(live_.pipeline().held_exchanges(), 5u);
  tell_pods();
  advance(1700ms);
  EXPECT_EQ(live_.pipeline().held_exchanges(), 0u);
  see_request(100, 1800ms);
  const auto counts = live_.end();
  EXPECT_EQ(counts, (Counts{.by_service = {{"checkout", 6}}, .held = 5, .late = 0}));
  EXPECT_EQ(replayed(), counts);
  EXPECT_EQ(live_.counters().get(Counter::kPodTargetsWaited), 1u);
  EXPECT_EQ(live_.counters().get(Counter::kPodTargetsNamed), 1u);
}

TEST_F(WaitingExchanges, GoOutWithWhatIsKnownAfterTheWait) {
  see_process(100, 1s);
  for (int i = 0; i < 3; ++i)
    see_request(100, 1s);
  advance(1700ms);
  EXPECT_EQ(live_.pipeline().held_exchanges(), 3u);
  advance(1800ms);
  EXPECT_EQ(live_.pipeline().held_exchanges(), 0u) << "never longer than the wait";
  see_request(100, 2s);
  tell_pods();
  advance(3s);
  see_request(100, 4s);
  const auto counts = live_.end();
  EXPECT_EQ(counts, (Counts{.by_service = {{"node", 4}, {"checkout", 1}}, .held = 3, .late = 4}));
  EXPECT_EQ(replayed(), counts);
  EXPECT_EQ(live_.counters().get(Counter::kPodTargetsUnnamed), 1u);
  EXPECT_EQ(live_.counters().get(Counter::kPodTargetsLate), 1u);
}

TEST_F(WaitingExchanges, AreAllThereAtTheEnd) {
  see_process(100, 1s);
  see_request(100, 1s);
  naming_.release_all();
  const auto counts = live_.end();
  EXPECT_EQ(counts, (Counts{.by_service = {{"node", 1}}, .held = 1, .late = 1}));
  EXPECT_EQ(replayed(), counts);
}

TEST_F(WaitingExchanges, OutsideKubernetesAreNobodysLoss) {
  naming_.on_target(exa::target_of(100, kAppId, ""), kStart + 1s);
  see_request(100, 1s);
  advance(2s);
  const auto counts = live_.end();
  EXPECT_EQ(counts, (Counts{.by_service = {{"node", 1}}, .held = 1, .late = 0}));
  EXPECT_EQ(live_.counters().get(Counter::kPodTargetsUnnamed), 0u);
}

}  // namespace
}  // namespace exa
