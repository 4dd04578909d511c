// How a run goes from its start to its end: what each thing that happens means for the prober in
// each phase. Pure; prober thread, owned by the prober.
#pragma once

#include <cstdint>
#include <string>

#include "exa/base/result.h"

namespace exa {

class LifeCycle {
 public:
  // The pipeline says that it is ready. True, once: from now on it is served.
  bool on_ready();

  enum class OnSignal : std::uint8_t { kNothing, kReload, kEnd, kEndAtOnce };
  // The first signal to end lets the pipeline export what was seen, a second one does not.
  OnSignal on_signal(int number);

  enum class OnTimer : std::uint8_t { kNothing, kSweep, kGiveUp };
  // The timer that sweeps bounds the end, too.
  [[nodiscard]] OnTimer on_timer() const;

  // Nothing is heard of the pipeline any more; violation: what it said out of turn, if it was that.
  // The error ends the run. Without one the pipeline's end follows.
  [[nodiscard]] Result<> on_silence(const std::string& violation) const;

  struct End {
    int exit_code;
    std::string complaint;  // empty where the pipeline has said itself why, or nothing is wrong
  };
  // The pipeline has ended, as waitpid(2) tells it.
  [[nodiscard]] End on_pipeline_end(int wait_status) const;

  [[nodiscard]] bool is_ending() const { return phase_ == Phase::kEnding; }

 private:
  enum class Phase : std::uint8_t { kStarting, kServing, kEnding };
  Phase phase_ = Phase::kStarting;
};

}  // namespace exa
