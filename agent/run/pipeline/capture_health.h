// Whether capture works, as the pipeline can know it: by what the prober says about twice a second.
// A prober that is stuck or gone says nothing, and then nobody may believe that all is well.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "agent/run/messages/heartbeat.h"
#include "agent/telemetry/counters.h"
#include "exa/base/time.h"
#include "exporters/page/health_routes.h"

namespace exa {

class CaptureHealth {
 public:
  static constexpr Duration kLongestSilence = std::chrono::seconds(5);

  // Capture thread.
  void begin() { begun_ = true; }
  void on_heartbeat(const Heartbeat& beat, Counters& counters, MonotonicTime now) {
    for (std::size_t i = 0; i < kProberCounters.size(); ++i)
      if (const auto known = counters.get(kProberCounters.at(i)); beat.totals.at(i) > known)
        counters.add(kProberCounters.at(i), beat.totals.at(i) - known);
    if (beat.probes_placed) probes_placed_ = true;
    last_beat_ns_ = now.ns;
  }

  // Any thread.
  [[nodiscard]] Readiness readiness(MonotonicTime now) const {
    if (!begun_) return {.ready = false, .reason = "processes are being examined"};
    if (!probes_placed_)
      return {.ready = false, .reason = "TLS libraries of this host's programs are being probed"};
    const auto silence = elapsed({last_beat_ns_}, now);
    if (silence <= kLongestSilence) return {.ready = true, .reason = {}};
    const auto whole_seconds = std::chrono::duration_cast<std::chrono::seconds>(silence).count();
    return {.ready = false,
            .reason = "capture has been silent for " + std::to_string(whole_seconds) + " s"};
  }

 private:
  std::atomic<bool> begun_ = false;
  std::atomic<bool> probes_placed_ = false;
  std::atomic<std::uint64_t> last_beat_ns_ = 0;
};

}  // namespace exa
