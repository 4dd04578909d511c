// What some requests spent more time on than others: the slowest of a series than the rest of it,
// those of now than usual. Pure.
#pragma once

#include <array>
#include <numeric>
#include <span>
#include <string>

#include "agent/why/account_sum.h"
#include "agent/why/time_spent.h"

namespace exa {

// The mean of requests, in seconds.
struct MeanTime {
  std::array<double, kTimeStates> s{};  // by TimeState

  [[nodiscard]] double total() const { return std::accumulate(s.begin(), s.end(), 0.0); }
};
// All zero of none.
MeanTime mean_of(const AccountSum& sum);

struct SlowestAndOthers {
  AccountSum slowest;
  AccountSum others;  // none: they are all alike
};
// by_bucket: of a histogram of their durations, the shortest first. The slowest are all of the
// highest buckets, of as few of them as hold one percent, or fewer where it would be most.
SlowestAndOthers slowest_percent(std::span<const AccountSum> by_bucket);

// By half, and by a millisecond: else there is nothing to explain.
bool is_longer(const MeanTime& slow, const MeanTime& than);
// "78 % of the difference was spent waiting for a CPU, 20 % asleep"; empty where it is not known.
std::string growth_phrase(const MeanTime& slow, const MeanTime& than);

// "3 of 1204 took 208 ms on average, the others 12.3 ms: 78 % of the difference ..."; empty where
// the slowest are not longer.
std::string growth_sentence(const SlowestAndOthers& requests);

}  // namespace exa
