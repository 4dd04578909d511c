#include "agent/run/prober/life_cycle.h"

#include <sys/wait.h>

#include <csignal>

#include "agent/model/exit_codes.h"

namespace exa {

bool LifeCycle::on_ready() {
  // While ending it may still say so, and nobody minds.
  if (phase_ != Phase::kStarting) return false;
  phase_ = Phase::kServing;
  return true;
}

LifeCycle::OnSignal LifeCycle::on_signal(int number) {
  if (number == SIGHUP) return is_ending() ? OnSignal::kNothing : OnSignal::kReload;
  if (is_ending()) return OnSignal::kEndAtOnce;
  phase_ = Phase::kEnding;
  return OnSignal::kEnd;
}

LifeCycle::OnTimer LifeCycle::on_timer() const {
  switch (phase_) {
    case Phase::kStarting:
      return OnTimer::kNothing;
    case Phase::kServing:
      return OnTimer::kSweep;
    case Phase::kEnding:
      return OnTimer::kGiveUp;
  }
  return OnTimer::kNothing;
}

Result<> LifeCycle::on_silence(const std::string& violation) const {
  if (!violation.empty())
    return fail("the pipeline process sent " + violation + ": it may have been compromised");
  // One that ended in order hangs up as well; the timer bounds how long that takes.
  if (!is_ending()) return fail("the pipeline process stopped listening");
  return {};
}

LifeCycle::End LifeCycle::on_pipeline_end(int wait_status) const {
  if (WIFSIGNALED(wait_status))
    return {kExitFailure,
            "the pipeline process was killed by signal " + std::to_string(WTERMSIG(wait_status))};
  const int code = WEXITSTATUS(wait_status);
  if (code == kExitOk && is_ending()) return {kExitOk, {}};
  if (phase_ == Phase::kStarting || code == kExitOutputFailed) return {kExitFailure, {}};
  return {kExitFailure, "the pipeline process exited with code " + std::to_string(code)};
}

}  // namespace exa
