// One loop for a run and for its replay: what the one recorded gives the other the same windows.
#include "agent/run/pipeline/capture_loop.h"

#include <gmock/gmock.h>

#include <functional>
#include <memory>

#include "agent/config/policy_text.h"
#include "agent/run/pipeline/recorded_events.h"
#include "tests/unit/pipeline/made_requests.h"

namespace exa::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Scripted final : public EventSource {
 public:
  using Step = std::function<void(CaptureLoop&)>;
  explicit Scripted(std::vector<Step> steps) : steps_(std::move(steps)) {}
  bool turn(CaptureLoop& loop) override {
    steps_.at(next_++)(loop);
    return next_ < steps_.size();
  }

 private:
  std::vector<Step> steps_;
  std::size_t next_ = 0;
};

struct ALoop : ::testing::Test {
  // A run whose source does these steps; its windows.
  std::vector<std::string> run(std::vector<Scripted::Step> steps, int late = 0) {
    Counters counters;
    auto options = small_pipeline();
    options.sampler.policies = policies;
    RequestPipeline pipeline(options, counters);
    pipeline.on_clock_offset(kOffset);
    auto recording =
        Recording::begin(file.open(), small_pipeline().id_seed, kOffset, policies_text(policies));
    KeptWindows windows;
    windows.late = late;
    CaptureLoop loop(pipeline, windows, *recording);
    Scripted source(std::move(steps));
    loop.run(source);
    EXPECT_EQ(recording->flush(), std::nullopt);
    totals = pipeline.policy_totals();
    spans_per_window = pipeline.spans_per_window();
    return windows.texts();
  }

  // The windows of its recording.
  std::vector<std::string> replay() {
    auto log = EventLogReader::open(file.open());
    EXPECT_TRUE(log);
    Counters counters;
    RequestPipeline pipeline(small_pipeline(), counters);
    pipeline.on_clock_offset(log->header().start_offset);
    std::vector<std::string> published;
    ReplayedWindows windows(
        [&](const ClosedWindow& window) { published.push_back(text_of(window)); });
    Recording unrecorded;
    CaptureLoop loop(pipeline, windows, unrecorded);
    RecordedEvents events(*log, windows);
    loop.run(events);
    outcome = events.outcome();
    replayed_totals = pipeline.policy_totals();
    replayed_spans_per_window = pipeline.spans_per_window();
    if (outcome) windows.finish();
    return published;
  }

  Scripted::Step request_at(Duration since_start) {
    return [this, since_start](CaptureLoop& loop) {
      for (const auto& record : made.at(kStart + since_start))
        loop.on_record(record);
    };
  }

  MemoryFile file;
  MadeRequests made;
  Result<> outcome;
  PolicySettings policies;
  PolicyTotals totals;
  PolicyTotals replayed_totals;
  std::uint32_t spans_per_window = 0;  // of the last
  std::uint32_t replayed_spans_per_window = 0;
};

Scripted::Step tick_at(Duration since_start) {
  return [=](CaptureLoop& loop) { loop.on_tick(kStart + since_start); };
}
Scripted::Step end_at(Duration since_start) {
  return [=](CaptureLoop& loop) { loop.on_end(kStart + since_start); };
}
Scripted::Step offset_of(WallClockOffset offset) {
  return [=](CaptureLoop& loop) { loop.on_clock_offset(offset); };
}
void shop(CaptureLoop& loop) {
  loop.on_target(target_of(100, "shop"));
}

TEST_F(ALoop, BeginsAtTheFirstTickAndClosesAWindowAtEachFurtherOne) {
  const auto windows =
      run({shop, tick_at(0s), request_at(1s), request_at(2s), tick_at(10s), request_at(11s),
           tick_at(20s), tick_at(30s), request_at(31s), end_at(33s)});
  EXPECT_THAT(windows, ElementsAre("0..10 2 shop", "10..20 1 shop", "20..30 0", "30..33 1 shop"));
  EXPECT_EQ(replay(), windows);
  EXPECT_TRUE(outcome);
}

TEST_F(ALoop, WindowsThatBecameOneAreOneInTheReplayToo) {
  const auto windows = run({shop, tick_at(0s), request_at(1s), tick_at(10s), request_at(11s),
                            tick_at(20s), request_at(21s), tick_at(30s), end_at(31s)},
                           /*late=*/2);
  EXPECT_THAT(windows, ElementsAre("0..30 3 shop", "30..31 0"));
  EXPECT_EQ(replay(), windows);
}

TEST_F(ALoop, TheLastWindowMayJoinTheOneBefore) {
  const auto windows =
      run({shop, tick_at(0s), request_at(1s), tick_at(10s), request_at(11s), end_at(12s)},
          /*late=*/1);
  EXPECT_THAT(windows, ElementsAre("0..12 2 shop"));
  EXPECT_EQ(replay(), windows);
}

// Its own configuration says nothing of them.
TEST_F(ALoop, AReplayHasThePoliciesOfTheRun) {
  policies = {.policy = {policy::Never{}}, .rules = {}};
  const PolicySettings reloaded{.policy = {policy::Never{}},
                                .rules = {*parse_policy_rule("route=/cart -> probability(50%)")}};
  run({shop, tick_at(0s), request_at(1s), [&](auto& loop) { loop.on_policies(reloaded); },
       request_at(2s), tick_at(10s), end_at(11s)});
  ASSERT_EQ(totals.size(), 2u);
  EXPECT_EQ(totals[0].rule, "route=/cart -> probability(0.5)");
  EXPECT_GT(totals[0].admitted + totals[0].refused, 0u);
  EXPECT_GT(totals[1].refused, 0u);
  replay();
  ASSERT_EQ(replayed_totals.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(replayed_totals[i].rule, totals[i].rule);
    EXPECT_EQ(replayed_totals[i].admitted, totals[i].admitted);
    EXPECT_EQ(replayed_totals[i].refused, totals[i].refused);
  }
}

TEST_F(ALoop, AReplayFeelsThePressureOfTheRun) {
  const auto press = [](CaptureLoop& loop) { loop.on_pressure({.backend = true}); };
  const auto rest = [](CaptureLoop& loop) { loop.on_pressure({}); };
  run({shop, tick_at(0s), press, tick_at(10s), rest, tick_at(20s), press, tick_at(30s), rest,
       end_at(31s)});
  EXPECT_EQ(spans_per_window, 40u) << "of 100: 50, 60, 30, 40";
  replay();
  EXPECT_EQ(replayed_spans_per_window, 40u);
}

TEST_F(ALoop, AClockThatIsSetMovesTheWindowsAfterIt) {
  const WallClockOffset later{kOffset.ns + 5'000'000'000};
  const auto windows =
      run({tick_at(0s), tick_at(10s), offset_of(later), tick_at(20s), end_at(21s)});
  EXPECT_EQ(replay(), windows);
  EXPECT_THAT(windows.back(), HasSubstr("..26 "));
}

// What waits for its target at the end goes out with the last window.
TEST_F(ALoop, NothingWaitsBeyondTheEnd) {
  const auto windows = run({tick_at(0s), request_at(1s), end_at(1100ms)});
  EXPECT_THAT(windows, ElementsAre(HasSubstr("0..1 1")));
  EXPECT_EQ(replay(), windows);
}

TEST_F(ALoop, AReplayReadsTheTargetThatTheRunRead) {
  auto long_target = target_of(100, "shop");
  auto resource = std::make_shared<Resource>(*long_target.resource);
  for (int i = 0; i < 60; ++i)
    resource->attributes.push_back({"key" + std::to_string(i), std::string(200, 'x')});
  long_target.resource = resource;
  std::size_t attributes = 0;
  Counters counters;
  RequestPipeline pipeline(small_pipeline(), counters);
  auto recording = Recording::begin(file.open(), small_pipeline().id_seed, kOffset, "never");
  struct Sink final : WindowSink {
    explicit Sink(std::size_t& count) : attributes(count) {}
    bool take(ClosedWindow window) override {
      for (const auto& [id, target] : window.targets)
        attributes = target->resource->attributes.size();
      return false;
    }
    std::size_t& attributes;
  } sink(attributes);
  CaptureLoop loop(pipeline, sink, *recording);
  loop.on_target(long_target);
  loop.on_tick(kStart);
  request_at(1s)(loop);
  loop.on_end(kStart + 2s);
  EXPECT_GT(attributes, 0u);
  EXPECT_LT(attributes, resource->attributes.size()) << "what fits into a message";
}

// The agent was killed: the recording has no last tick.
TEST_F(ALoop, ARecordingThatWasCutOffGivesWhatItHolds) {
  run({shop, tick_at(0s), request_at(1s), tick_at(10s), request_at(11s)});
  EXPECT_THAT(replay(), ElementsAre("0..10 1 shop", HasSubstr(" 1 shop")));
  EXPECT_TRUE(outcome);
}

TEST_F(ALoop, ARecordingThatIsDamagedEndsTheReplayWithTheReason) {
  run({shop, tick_at(0s), request_at(1s), tick_at(10s), end_at(12s)});
  const auto damaged = file.open();
  const auto first_frame = EventLogReader::open(file.open())->offset_bytes();
  const std::string nonsense(16, '\xff');
  ASSERT_EQ(
      pwrite(damaged.get(), nonsense.data(), nonsense.size(), static_cast<off_t>(first_frame)), 16);
  replay();
  EXPECT_FALSE(outcome);
}

TEST(ARecording, ThatCannotBeWrittenSaysSoAndTheRunGoesOn) {
  UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  auto recording = Recording::begin(std::move(full), {}, kOffset, "never");
  if (!recording) {
    EXPECT_THAT(recording.error().text, HasSubstr("No space left"));
    return;
  }
  recording->tick(kStart);
  EXPECT_THAT(recording->flush().value_or(""), HasSubstr("recording stopped: "));
}

TEST(ARecording, WithoutAFileSwallowsWhatItIsTold) {
  auto recording = Recording::begin(UniqueFd(), {}, kOffset, "never");
  ASSERT_TRUE(recording);
  EXPECT_FALSE(recording->goes_on());
  recording->tick(kStart);
  EXPECT_EQ(recording->flush(), std::nullopt);
}

}  // namespace
}  // namespace exa::testing
