// How many spans the next window may cost: the usual number; fewer while the backend or the agent
// cannot keep up; more while errors use up a service's error budget, as then there is more to
// explain. Always within its limits. Capture thread, at window close; owned by the sampler. Pure.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "agent/model/budget_pressure.h"

namespace exa {

struct BudgetLimits {
  std::uint32_t usual = 100;  // 0: no exemplars, whatever happens
  std::uint32_t least = 10;   // under pressure, if less than usual
  std::uint32_t most = 100;   // while errors burn, if more than usual
};

class ReactiveBudget {
 public:
  explicit ReactiveBudget(const BudgetLimits& limits)
      : usual_(limits.usual),
        least_(std::min(limits.least, limits.usual)),
        most_(std::max(limits.most, limits.usual)) {}

  // burn_rate: how many times faster than its objective allows the worst service fails, 1 if it
  // would just keep it. The rate by which an alert is raised at once is that of Google's SRE
  // Workbook, chapter 5: 2 % of a month's error budget within an hour.
  std::uint32_t next(BudgetPressure pressure, double burn_rate) {
    if (pressure.backend || pressure.agent)
      share_ = std::max(share_ / 2, kLeastShare);
    else
      share_ = std::min(share_ + kRecovery, 1.0);
    burn_rate_ = std::max(burn_rate, burn_rate_ * kFade);
    const auto burning = std::clamp((burn_rate_ - 1) / (kFastBurn - 1), 0.0, 1.0);
    const auto wanted = usual_ + burning * (most_ - usual_);
    spans_ = usual_ == 0 ? 0
                         : std::clamp(static_cast<std::uint32_t>(std::lround(wanted * share_)),
                                      std::max(least_, 1U), most_);
    return spans_;
  }
  // Of the window that closed last.
  [[nodiscard]] std::uint32_t spans() const { return spans_; }
  [[nodiscard]] bool raised() const { return spans_ > usual_; }
  [[nodiscard]] bool lowered() const { return spans_ < usual_; }

 private:
  static constexpr double kFastBurn = 14.4;
  static constexpr double kFade = 0.7;      // of a burn rate that is over, from window to window
  static constexpr double kRecovery = 0.1;  // of what is wanted, with each window without pressure
  static constexpr double kLeastShare = 1.0 / 1024;  // else recovery would have no beginning

  std::uint32_t usual_;
  std::uint32_t least_;
  std::uint32_t most_;
  double share_ = 1;  // of what is wanted
  double burn_rate_ = 0;
  std::uint32_t spans_ = usual_;
};

}  // namespace exa
