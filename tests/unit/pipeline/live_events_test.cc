// A run without a kernel: rings of made records, a prober that says what the test says, and a clock
// that the test sets.
#include "agent/run/pipeline/live_events.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <deque>
#include <utility>

#include "agent/capture/target_message.h"
#include "agent/config/config.h"
#include "agent/run/messages/share_losses.h"
#include "agent/run/pipeline/capture_loop.h"
#include "agent/run/pipeline/recorded_events.h"
#include "tests/unit/pipeline/made_requests.h"

namespace exa::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;

class MadeRing final : public RecordRing {
 public:
  std::size_t read(std::size_t at_most, CaptureLoop& loop) override {
    std::size_t count = 0;
    for (; count < at_most && !records.empty(); ++count) {
      loop.on_record(records.front());
      records.pop_front();
    }
    return count;
  }
  void wait(Duration at_most) override {
    waits.push_back(at_most);
    add(std::exchange(while_waiting, {}));
  }

  void add(Records more) {
    for (auto& record : more)
      records.push_back(std::move(record));
  }
  std::deque<std::vector<std::byte>> records;
  Records while_waiting;  // come during the next wait
  std::vector<Duration> waits;
};

struct ARun : ::testing::Test {
  ARun() : pair(*Channel::make_pair()), prober(pair.second) {
    pipeline.on_clock_offset(kOffset);
    Output output;
    output.listening_port = 9464;
    output.failure = [this] { return output_error; };
    std::vector<Output> all;
    all.push_back(std::move(output));
    outputs.emplace(std::move(all));
    talk.emplace(std::move(pair.first), naming, health, counters, log);
    events.emplace(LiveEvents::Parts{.ring = ring,
                                     .prober = *talk,
                                     .naming = naming,
                                     .health = health,
                                     .pipeline = pipeline,
                                     .recording = recording,
                                     .outputs = *outputs,
                                     .gauges = gauges,
                                     .occasional = occasional},
                   10s, kOffset,
                   Clocks{.now = [this] { return now; },
                          .offset =
                              [this] {
                                ++offsets_measured;
                                return kOffset;
                              },
                          .cpu = [this] { return cpu; }});
  }

  void say(ChannelMessageType type, std::uint64_t value = 0) {
    ASSERT_EQ(prober.send({.type = type, .value = value}), ChannelOutcome::kDone);
  }
  void say_target(const char* name) {
    ChannelMessage message{.type = ChannelMessageType::kTarget};
    message.payload = encode_target(target_of(100, name));
    ASSERT_EQ(prober.send(message), ChannelOutcome::kDone);
  }
  void say_complete() {
    say(ChannelMessageType::kTargetsComplete, static_cast<std::uint64_t>(TlsState::kReading));
  }
  bool turn() { return events->turn(loop); }
  bool turn_at(Duration since_start) {
    now = kStart + since_start;
    return turn();
  }
  // What the pipeline said; nothing if there is none.
  std::optional<ChannelMessage> heard() {
    ChannelMessage message;
    if (prober.receive(message) != ChannelOutcome::kDone) return std::nullopt;
    return message;
  }

  std::pair<Channel, Channel> pair;
  Channel& prober;
  // kStart is a whole multiple of the window on the wall clock.
  MonotonicTime now = kStart;
  Duration cpu{};  // used by its thread
  int offsets_measured = 0;
  int output_error = 0;
  Counters counters;
  Log log{LogThreshold::kOff, LogFormat::kText, "test"};
  OccasionalLog occasional{log};
  CaptureHealth health;
  SelfGauges gauges;
  MadeRing ring;
  MadeRequests made;
  MemoryFile file;
  Recording recording =
      *Recording::begin(file.open(), small_pipeline().id_seed, kOffset, "coordinated");
  RequestPipeline pipeline{small_pipeline(), counters};
  KeptWindows windows;
  CaptureLoop loop{pipeline, windows, recording};
  TargetNaming naming{KubernetesSettings{.enabled = false}, counters, log,
                      [this](const Target& target) { loop.on_target(target); }};
  std::optional<ExportChain> outputs;
  std::optional<ProberTalk> talk;
  std::optional<LiveEvents> events;
};
static_assert(kOffset.to_wall(kStart).ns % 10'000'000'000 == 0);

TEST_F(ARun, ReadsNoRecordBeforeTheTargetsAreComplete) {
  ring.add(made.at(kStart));
  say_target("shop");
  EXPECT_TRUE(turn());
  EXPECT_FALSE(ring.records.empty());
  EXPECT_EQ(heard(), std::nullopt);
  EXPECT_FALSE(health.readiness(now).ready);

  say_complete();
  EXPECT_TRUE(turn());
  const auto ready = heard();
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->type, ChannelMessageType::kReady);
  EXPECT_EQ(ready->value, 9464u);
  EXPECT_TRUE(turn());
  EXPECT_THAT(ring.records, IsEmpty());
}

TEST_F(ARun, IsReadyOnceTheProbersHeartBeats) {
  say_complete();
  turn();
  ChannelMessage beat;
  write_heartbeat({.probes_placed = true, .totals = {7}}, beat);
  ASSERT_EQ(prober.send(beat), ChannelOutcome::kDone);
  EXPECT_TRUE(turn());
  EXPECT_TRUE(health.readiness(now).ready);
  EXPECT_EQ(counters.get(Counter::kForeignHeldUp), 7u);
}

TEST_F(ARun, ClosesWindowsByTheWallClockAndMeasuresItAnew) {
  say_target("shop");
  say_complete();
  turn_at(0s);
  ring.add(made.at(kStart + 2s));
  EXPECT_TRUE(turn_at(3s));
  EXPECT_THAT(windows.texts(), IsEmpty());
  ring.while_waiting = made.at(kStart + 9s);  // in the ring when the tick comes: of this window
  EXPECT_TRUE(turn_at(10s));
  EXPECT_THAT(windows.texts(), ElementsAre("0..10 2 shop"));
  EXPECT_EQ(offsets_measured, 1);
  EXPECT_EQ(gauges.tls, TlsState::kReading);
  EXPECT_EQ(gauges.pods, std::nullopt) << "no cluster";
}

TEST_F(ARun, ThatHardlyKeepsUpChoosesFewerSpans) {
  say_complete();
  turn_at(0s);
  turn_at(10s);
  EXPECT_EQ(counters.get(Counter::kPressureOfAgent), 0u);
  cpu += 7900ms;
  turn_at(20s);
  EXPECT_EQ(counters.get(Counter::kPressureOfAgent), 0u);
  EXPECT_EQ(pipeline.spans_per_window(), 100u);
  cpu += 8100ms;
  turn_at(30s);
  EXPECT_EQ(counters.get(Counter::kPressureOfAgent), 1u);
  EXPECT_EQ(pipeline.spans_per_window(), 50u);
}

TEST_F(ARun, WaitsNoLongerThanTheTickAndNotAtAllInAFlood) {
  say_complete();
  turn_at(0s);
  ring.waits.clear();
  turn_at(9999ms);
  EXPECT_THAT(ring.waits, ElementsAre(Le(1ms)));
  ring.waits.clear();
  const std::vector<std::byte> unreadable(8);
  ring.records.assign(LiveEvents::kRecordsPerTurn + 1, unreadable);
  turn_at(9999ms);
  EXPECT_THAT(ring.waits, IsEmpty());
  EXPECT_EQ(ring.records.size(), 1u);
}

TEST_F(ARun, EndsWithAWindowOfWhatIsInTheRing) {
  say_target("shop");
  say_complete();
  turn_at(0s);
  ring.add(made.at(kStart + 1s));
  turn_at(2s);
  now = kStart + 3s;
  ring.while_waiting = made.at(kStart + 2s);
  say(ChannelMessageType::kShutdown, (now + 4s).ns);
  EXPECT_FALSE(turn());
  EXPECT_EQ(events->deadline(), now + 4s);
  EXPECT_THAT(windows.texts(), ElementsAre("0..3 2 shop"));
  EXPECT_EQ(offsets_measured, 0) << "the tick is the last frame of a recording";
}

TEST_F(ARun, HasSecondsToEndWhateverTheProberSays) {
  say_complete();
  turn();
  say(ChannelMessageType::kShutdown, (now + 1h).ns);
  EXPECT_FALSE(turn());
  EXPECT_EQ(events->deadline(), now + LiveEvents::kLongestEnd);
}

TEST_F(ARun, ThatNeverBeganEndsWithoutAWindow) {
  say(ChannelMessageType::kShutdown, (now + 4s).ns);
  EXPECT_FALSE(turn());
  EXPECT_TRUE(events->deadline());
  EXPECT_THAT(windows.texts(), IsEmpty());
}

TEST_F(ARun, EndsOutOfOrderWithoutItsProber) {
  say_complete();
  turn();
  {
    const Channel gone = std::move(prober);
  }
  EXPECT_FALSE(turn());
  EXPECT_EQ(events->deadline(), std::nullopt);
  EXPECT_THAT(windows.texts(), IsEmpty());
}

TEST_F(ARun, EndsOutOfOrderWhenTheProberSpeaksNonsense) {
  say_complete();
  turn();
  say(ChannelMessageType::kReady);
  EXPECT_FALSE(turn());
  EXPECT_EQ(events->deadline(), std::nullopt);
}

TEST_F(ARun, EndsWhenNobodyReadsWhatItPrints) {
  say_target("shop");
  say_complete();
  turn_at(0s);
  ring.add(made.at(kStart + 1s));
  output_error = EPIPE;
  EXPECT_FALSE(turn_at(2s));
  EXPECT_EQ(events->deadline(), now + LiveEvents::kEndWithoutReader);
  EXPECT_THAT(windows.texts(), ElementsAre("0..2 1 shop"));
}

TEST_F(ARun, IsReplayedFromItsRecording) {
  say_target("shop");
  say_complete();
  turn_at(0s);
  ring.add(made.at(kStart + 2s));
  turn_at(3s);
  windows.late = 1;
  turn_at(10s);
  ring.add(made.at(kStart + 12s));
  turn_at(20s);
  ring.add(made.at(kStart + 21s));
  now = kStart + 22s;
  say(ChannelMessageType::kShutdown, (now + 4s).ns);
  EXPECT_FALSE(turn());
  EXPECT_THAT(windows.texts(), ElementsAre("0..20 2 shop", "20..22 1 shop"));

  auto recorded = EventLogReader::open(file.open());
  ASSERT_TRUE(recorded);
  RequestPipeline again(small_pipeline(), counters);
  again.on_clock_offset(recorded->header().start_offset);
  std::vector<std::string> published;
  ReplayedWindows replayed(
      [&](const ClosedWindow& window) { published.push_back(text_of(window)); });
  Recording unrecorded;
  CaptureLoop replay(again, replayed, unrecorded);
  RecordedEvents recorded_events(*recorded, replayed);
  replay.run(recorded_events);
  replayed.finish();
  EXPECT_TRUE(recorded_events.outcome());
  EXPECT_EQ(published, windows.texts());
}

// The engine's file comes with the target, opened by the prober.
TEST_F(ARun, NamesATargetByTheFileOfItsEngine) {
  const std::string id(64, 'c');
  auto target = target_of(100, "python");
  auto resource = std::make_shared<Resource>(*target.resource);
  resource->attributes.push_back({"container.id", id});
  target.resource = resource;
  const auto document = MemoryFile().open();
  const std::string text = R"({"ID":")" + id +
                           R"(","Name":"/shop-edge-1","Config":{"Image":"edge:1","Labels":)"
                           R"({"com.docker.compose.service":"edge"}}})";
  ASSERT_EQ(write(document.get(), text.data(), text.size()), std::ssize(text));
  ChannelMessage message{.type = ChannelMessageType::kTarget,
                         .value = static_cast<std::uint64_t>(EngineDocument::kDockerConfig)};
  message.payload = encode_target(target);
  ASSERT_EQ(prober.send(message, document.get()), ChannelOutcome::kDone);
  say_complete();
  turn_at(0s);
  ring.add(made.at(kStart + 1s));
  turn_at(2s);
  turn_at(10s);
  EXPECT_THAT(windows.texts(), ElementsAre("0..10 1 edge"));
}

}  // namespace
}  // namespace exa::testing
