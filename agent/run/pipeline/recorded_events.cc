#include "agent/run/pipeline/recorded_events.h"

#include <utility>

#include "agent/capture/target_message.h"
#include "agent/config/policy_text.h"
#include "agent/run/pipeline/capture_loop.h"

namespace exa {

bool ReplayedWindows::take(ClosedWindow window) {
  const bool joins = std::exchange(join_next_, false) && waiting_;
  if (joins) {
    waiting_->absorb(std::move(window));
  } else {
    if (waiting_) publish_(*waiting_);
    waiting_ = std::move(window);
  }
  return joins;
}

void ReplayedWindows::finish() {
  if (waiting_) publish_(*waiting_);
  waiting_.reset();
}

bool RecordedEvents::turn(CaptureLoop& loop) {
  const auto frame = log_.next();
  if (!frame) {
    outcome_ = std::unexpected(frame.error());
    return false;
  }
  if (!*frame) {
    // The tick of an orderly end is the last frame; a recording that was cut off has none.
    loop.on_end(tick_.value_or(MonotonicTime{}));
    return false;
  }
  outcome_ = apply(**frame, loop);
  return outcome_.has_value();
}

Result<> RecordedEvents::apply(const Frame& frame, CaptureLoop& loop) {
  // It stands behind the tick of the window that it is about.
  if (frame.kind == FrameKind::kWindowMerged) {
    windows_.join_next();
    return {};
  }
  if (tick_) loop.on_tick(*std::exchange(tick_, std::nullopt));
  switch (frame.kind) {
    case FrameKind::kRingRecord:
      loop.on_record(frame.payload);
      break;
    case FrameKind::kTargetMessage: {
      const auto target = decode_target(frame.payload);
      if (!target) return std::unexpected(target.error());
      loop.on_target(*target);
      break;
    }
    case FrameKind::kClockOffset:
      if (const auto offset = frame.clock_offset()) loop.on_clock_offset(*offset);
      break;
    case FrameKind::kWindowTick:
      tick_ = frame.window_tick();
      break;
    case FrameKind::kPolicies: {
      const auto policies = parse_policies(
          {reinterpret_cast<const char*>(frame.payload.data()), frame.payload.size()});
      if (!policies) return std::unexpected(policies.error());
      loop.on_policies(*policies);
      break;
    }
    case FrameKind::kPressure:
      if (const auto bits = frame.pressure()) loop.on_pressure(BudgetPressure::from_bits(*bits));
      break;
    case FrameKind::kWindowMerged:
      break;
  }
  return {};
}

}  // namespace exa
