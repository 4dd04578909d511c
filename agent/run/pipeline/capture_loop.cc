#include "agent/run/pipeline/capture_loop.h"

#include "agent/capture/target_message.h"
#include "agent/config/policy_text.h"

namespace exa {
void CaptureLoop::on_target(const Target& target) {
  if (!recording_.goes_on()) {
    pipeline_.on_target(target);
    return;
  }
  const auto message = encode_target(target);
  recording_.target(message);
  // What a replay will read, to the last attribute that fits.
  if (const auto replayed = decode_target(message)) pipeline_.on_target(*replayed);
}

void CaptureLoop::on_policies(const PolicySettings& policies) {
  recording_.policies(policies_text(policies));
  pipeline_.use_policies(policies);
}

void CaptureLoop::on_clock_offset(WallClockOffset offset) {
  pipeline_.on_clock_offset(offset);
  recording_.clock_offset(offset);
}

void CaptureLoop::on_pressure(BudgetPressure pressure) {
  if (pressure.bits() == 0) return;
  recording_.pressure(pressure.bits());
  pipeline_.on_pressure(pressure);
}

void CaptureLoop::on_tick(MonotonicTime time) {
  recording_.tick(time);
  if (begun_)
    close_window(time);
  else
    pipeline_.begin(time);
  begun_ = true;
}

void CaptureLoop::on_end(MonotonicTime time) {
  pipeline_.release_held();
  recording_.tick(time);
  close_window(time, /*last=*/true);
}

void CaptureLoop::close_window(MonotonicTime time, bool last) {
  auto window = pipeline_.close_window(time);
  window.last = last;
  if (windows_.take(std::move(window))) recording_.merged();
}

}  // namespace exa
