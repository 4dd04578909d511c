#include "agent/exemplars/series_watch.h"

#include <algorithm>
#include <cmath>

namespace exa {
namespace {

constexpr double kNewestShare = 0.3;       // of the moving average: about the last five windows
constexpr double kLeastErrorRatio = 0.01;  // one error in a quiet series is no hundredfold rise
constexpr double kLeastP99S = 0.001;
constexpr double kNoHistory = 1e9;

}  // namespace

double SeriesWatch::movement(double p99_s, double error_ratio) const {
  if (!has_history_) return kNoHistory;
  const auto relative = [](double now, double average, double least) {
    return std::abs(now - average) / std::max(average, least);
  };
  return std::max(relative(p99_s, average_p99_s_, kLeastP99S),
                  relative(error_ratio, average_error_ratio_, kLeastErrorRatio));
}

void SeriesWatch::observe(double p99_s, double error_ratio, bool served) {
  const double share = has_history_ ? kNewestShare : 1;
  average_p99_s_ += share * (p99_s - average_p99_s_);
  average_error_ratio_ += share * (error_ratio - average_error_ratio_);
  has_history_ = true;
  unserved_windows_ = served ? 0 : unserved_windows_ + 1;
}

}  // namespace exa
