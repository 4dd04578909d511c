#include "agent/exemplars/policies/adaptive.h"

#include <algorithm>
#include <cmath>

#include "agent/trace/ids/randomness.h"

namespace exa {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr double kNewestShare = 0.5;  // of the moving average of requests per second
constexpr double kOwedShare = 0.8;    // of what was owed a second ago
constexpr double kRepaid = 0.5;       // of what is owed, within the next second
constexpr double kQuietSeconds = 30;  // after them nothing is left of either

}  // namespace

Adaptive::Adaptive(const policy::Adaptive& spec)
    : spec_(spec), share_(spec.most), threshold_(randomness_threshold(spec.most)) {}

bool Adaptive::admits(const Offer& offer) {
  const auto second = offer.exchange.last_response.ns / kSecondNs;
  if (second > second_) [[unlikely]]
    begin_second(second);
  const bool admitted = offer.exchange.randomness >= threshold_;
  // Its queue time and its sizes are values of the same request.
  if (offer.counts_requests) {
    ++requests_;
    admitted_ += admitted ? 1 : 0;
  }
  return admitted;
}

void Adaptive::begin_second(std::uint64_t second) {
  // Of seconds without a request nothing was seen, and nothing is owed.
  const auto quiet = static_cast<double>(second - second_ - 1);
  if (second_ != 0 && quiet < kQuietSeconds) {
    rate_ = rate_ == 0 ? requests_ : rate_ + kNewestShare * (requests_ - rate_);
    rate_ *= std::pow(1 - kNewestShare, quiet);
    // More than there was could not be admitted.
    const auto could = std::min<double>(spec_.per_second, requests_);
    owed_ = (kOwedShare * owed_ + could - admitted_) * std::pow(kOwedShare, quiet);
  } else {
    rate_ = owed_ = 0;
  }
  const auto wanted = std::clamp(spec_.per_second + kRepaid * owed_, 0.0, 2 * spec_.per_second);
  share_ = rate_ == 0 ? spec_.most : std::clamp(wanted / rate_, spec_.least, spec_.most);
  threshold_ = randomness_threshold(share_);
  second_ = second;
  requests_ = admitted_ = 0;
}

}  // namespace exa
