#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/request_pipeline/request_pipeline.h"
#include "agent/request_pipeline/window_publisher.h"
#include "synthetic_exchanges.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::exchange_of;
using ::testing::IsEmpty;
using testing::kStart;
using testing::target_of;

constexpr const char* kTime = "exemplar_agent.http.server.time_spent";
constexpr const char* kServerRetransmits = "exemplar_agent.http.server.retransmits";
constexpr const char* kClientRetransmits = "exemplar_agent.http.client.retransmits";

// Stands for a backend that stores everything.
class Store : public SpanExporter, public MetricExporter {
 public:
  SpanDelivery export_spans(std::vector<Span> batch,
                            std::chrono::steady_clock::time_point /*deadline*/) override {
    spans.insert(spans.end(), batch.begin(), batch.end());
    return SpanDelivery::kAcknowledged;
  }
  void export_metrics(std::shared_ptr<const MetricBatch> batch) override { newest = batch; }
  void shutdown(std::chrono::steady_clock::time_point) override {}

  // By its attribute state, of one series; empty: the metric is not there.
  [[nodiscard]] std::map<std::string, double> states_of(const std::string& status) const {
    std::map<std::string, double> states;
    for (const auto& point : points_of(kTime))
      if (attribute_text(point.attributes, "http.response.status_code") == status)
        states[attribute_text(point.attributes, "state")] = std::get<double>(point.value);
    return states;
  }
  [[nodiscard]] std::vector<std::int64_t> counts_of(const char* metric) const {
    std::vector<std::int64_t> counts;
    for (const auto& point : points_of(metric))
      counts.push_back(std::get<std::int64_t>(point.value));
    return counts;
  }
  [[nodiscard]] std::vector<NumberPoint> points_of(const std::string& name) const {
    std::vector<NumberPoint> points;
    for (const auto& resource : newest->resources)
      for (const auto& metric : resource.metrics)
        if (metric.name == name) points = std::get<Sum>(metric.points).points;
    return points;
  }
  [[nodiscard]] std::vector<HistogramPoint> durations() const {
    std::vector<HistogramPoint> points;
    for (const auto& resource : newest->resources)
      for (const auto& metric : resource.metrics)
        if (metric.name == "http.server.request.duration")
          points = std::get<Histogram>(metric.points).points;
    return points;
  }

  std::vector<Span> spans;
  std::shared_ptr<const MetricBatch> newest;
};

class Accounts : public ::testing::Test {
 protected:
  void SetUp() override {
    pipeline.begin(kStart);
    pipeline.on_target(target_of(100, "shop"));
  }
  void send(testing::Request request, const Account& account) {
    request.sequence = ++sequence_;
    auto exchange = exchange_of(request);
    exchange.account = account;
    pipeline.on_exchange(exchange);
  }
  static Account of_thread(Duration cpu_wait, Duration on_cpu) {
    Account account;
    account.thread_known = account.cpu_wait_known = true;
    account.cpu_wait = cpu_wait;
    account.on_cpu = on_cpu;
    return account;
  }
  static Account of_socket(std::uint32_t retransmits) {
    Account account;
    account.socket_known = true;
    account.retransmits = retransmits;
    return account;
  }

  Counters counters;
  RequestPipeline pipeline{{.id_seed = {1}, .time_spent = true}, counters};
  Store store;
  WindowPublisher publisher{{}, counters, {&store}, {&store}};

 private:
  std::uint32_t sequence_ = 0;
};

TEST_F(Accounts, AddUpToTheDurations) {
  for (int window = 1; window <= 3; ++window) {
    for (int i = 0; i < 400; ++i)
      send({.status = static_cast<std::uint16_t>(i % 3 == 0 ? 404 : 200),
            .at = 10s * window - 1s,
            .duration = 1us * (i * 7919 % 900'000)},
           i % 5 == 0 ? Account{} : of_thread(3ms * (i % 7), 1ms * (i % 90)));
    publisher.publish(pipeline.close_window(kStart + 10s * window));
    const auto durations = store.durations();
    ASSERT_EQ(durations.size(), 2u);
    for (const auto& series : durations) {
      const auto states =
          store.states_of(attribute_text(series.attributes, "http.response.status_code"));
      EXPECT_EQ(states.size(), 6u);
      double sum = 0;
      for (const auto& [state, seconds] : states)
        sum += seconds;
      EXPECT_NEAR(sum, series.sum, 1e-6);
    }
  }
}

TEST_F(Accounts, OfKnownThreadsEveryStateIsTold) {
  send({.duration = 30ms}, of_thread(10ms, 20ms));
  publisher.publish(pipeline.close_window(kStart + 10s));
  EXPECT_EQ(store.states_of("200"), (std::map<std::string, double>{{"throttled", 0},
                                                                   {"cpu_wait", 0.01},
                                                                   {"on_cpu", 0.02},
                                                                   {"downstream", 0},
                                                                   {"asleep", 0}}));
}

TEST_F(Accounts, OfOthersThatItIsUnknown) {
  send({.duration = 30ms}, {});
  publisher.publish(pipeline.close_window(kStart + 10s));
  EXPECT_EQ(store.states_of("200"), (std::map<std::string, double>{{"unknown", 0.03}}));
  EXPECT_THAT(store.counts_of(kServerRetransmits), IsEmpty());
}

TEST_F(Accounts, CountRetransmitsAtBothEnds) {
  send({}, of_socket(2));
  send({}, of_socket(3));
  send({.role = Role::kClient}, of_socket(0));
  publisher.publish(pipeline.close_window(kStart + 10s));
  EXPECT_THAT(store.counts_of(kServerRetransmits), ElementsAre(5));
  EXPECT_THAT(store.counts_of(kClientRetransmits), ElementsAre(0));
}

TEST_F(Accounts, NoneAreKeptUnlessAskedFor) {
  RequestPipeline plain({.id_seed = {1}}, counters);
  plain.begin(kStart);
  plain.on_target(target_of(100, "shop"));
  auto exchange = exchange_of({});
  exchange.account = of_thread(1ms, 2ms);
  plain.on_exchange(exchange);
  publisher.publish(plain.close_window(kStart + 10s));
  EXPECT_THAT(store.points_of(kTime), IsEmpty());
  EXPECT_EQ(store.durations().size(), 1u);
}

TEST_F(Accounts, WindowsThatJoinLoseNothing) {
  send({.at = 1s, .duration = 30ms}, of_thread(10ms, 20ms));
  auto first = pipeline.close_window(kStart + 10s);
  send({.at = 11s, .duration = 50ms}, of_thread({}, 50ms));
  first.absorb(pipeline.close_window(kStart + 20s));
  publisher.publish(first);
  EXPECT_EQ(store.states_of("200")["on_cpu"], 0.07);
  EXPECT_EQ(store.states_of("200")["cpu_wait"], 0.01);
}

// The slowest of the series says what those like it had more of.
TEST_F(Accounts, TheSlowestSaysWhatGrew) {
  for (int i = 0; i < 100; ++i)
    send({.duration = 10ms}, of_thread({}, 10ms));
  send({.duration = 400ms}, of_thread(390ms, 10ms));
  publisher.publish(pipeline.close_window(kStart + 10s));
  std::vector<std::string> grew;
  for (const auto& span : store.spans)
    if (has_attribute(span.attributes, "exemplar.why.grew")) {
      EXPECT_EQ(attribute_text(span.attributes, "exemplar.reason"), "slowest");
      grew.push_back(attribute_text(span.attributes, "exemplar.why.grew"));
    }
  EXPECT_THAT(grew, ElementsAre("1 of 101 took 400 ms, the others 10.0 ms: 100 % of the difference "
                                "was spent waiting for a CPU"));
}

}  // namespace
}  // namespace exa
