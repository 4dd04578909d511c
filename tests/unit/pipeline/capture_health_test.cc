#include "agent/run/pipeline/capture_health.h"

#include <gmock/gmock.h>

namespace exa {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr MonotonicTime kNow{.ns = 1'000'000'000'000};

TEST(CaptureHealth, IsReadyOnceTheProbesArePlacedAndAsLongAsItIsHeard) {
  CaptureHealth health;
  Counters counters;
  EXPECT_FALSE(health.readiness(kNow).ready);
  health.begin();
  health.on_heartbeat({.probes_placed = false}, counters, kNow);
  EXPECT_FALSE(health.readiness(kNow).ready);
  EXPECT_THAT(health.readiness(kNow).reason, HasSubstr("TLS libraries"));
  health.on_heartbeat({.probes_placed = true}, counters, kNow);
  EXPECT_TRUE(health.readiness(kNow).ready);
  EXPECT_TRUE(health.readiness(kNow + CaptureHealth::kLongestSilence).ready);
  EXPECT_FALSE(health.readiness(kNow + (CaptureHealth::kLongestSilence + 1s)).ready);
  EXPECT_THAT(health.readiness(kNow + 6s).reason, HasSubstr("silent for 6 s"));
  health.on_heartbeat({.probes_placed = true}, counters, kNow + 10s);
  EXPECT_TRUE(health.readiness(kNow + 10s).ready);
}

TEST(CaptureHealth, TakesOverWhatTheProberCounted) {
  CaptureHealth health;
  Counters counters;
  Heartbeat beat{.probes_placed = true, .totals = {1, 2, 3, 4, 5, 6}};
  ChannelMessage message;
  write_heartbeat(beat, message);
  health.on_heartbeat(read_heartbeat(message), counters, kNow);
  health.on_heartbeat(read_heartbeat(message), counters, kNow);
  EXPECT_EQ(counters.get(Counter::kForeignHeldUp), 1u);
  EXPECT_EQ(counters.get(Counter::kForeignRefused), 3u);
  EXPECT_EQ(counters.get(Counter::kProbesOverLimit), 6u);
  // Totals never go back, whatever a beat says.
  health.on_heartbeat({.probes_placed = true}, counters, kNow);
  EXPECT_EQ(counters.get(Counter::kForeignHeldUp), 1u);
}

}  // namespace
}  // namespace exa
