#include "agent/metrics/exponential_histogram.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace exa {

int ExponentialHistogram::index_of(double value, int scale) {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);  // in [0.5, 1)
  // A power of two is the upper bound of its bucket.
  const bool power = fraction == 0.5;
  if (scale <= 0) return (exponent - 1 - (power ? 1 : 0)) >> -scale;
  const int first = (exponent - 1) * (1 << scale);
  if (power) return first - 1;
  const auto within = static_cast<int>(std::floor(std::ldexp(std::log2(2 * fraction), scale)));
  return first + std::min(within, (1 << scale) - 1);
}

void ExponentialHistogram::add(double value, std::uint64_t times) {
  if (!(value > 0)) {
    zero_count_ += times;
    return;
  }
  count_in(index_of(value, scale_), times);
}

void ExponentialHistogram::count_in(int index, std::uint64_t times) {
  if (high_ < low_) low_ = high_ = index;
  int low = std::min(low_, index);
  int high = std::max(high_, index);
  int steps = 0;
  while (std::int64_t{high} - low >= static_cast<std::int64_t>(kMostBuckets)) {
    low >>= 1;
    high >>= 1;
    ++steps;
  }
  if (steps > 0) coarsen(steps);
  low_ = low;
  high_ = high;
  counts_[place_of(index >> steps)] += times;
}

void ExponentialHistogram::coarsen(int steps) {
  scale_ -= steps;
  if (high_ < low_) return;
  std::array<std::uint64_t, kMostBuckets> counts{};
  for (int index = low_; index <= high_; ++index)
    counts[place_of(index >> steps)] += counts_[place_of(index)];
  counts_ = counts;
  low_ >>= steps;
  high_ >>= steps;
}

void ExponentialHistogram::merge(const ExponentialHistogram& other) {
  zero_count_ += other.zero_count_;
  if (other.high_ < other.low_) return;
  if (scale_ > other.scale_) coarsen(scale_ - other.scale_);
  for (int index = other.low_; index <= other.high_; ++index) {
    const auto times = other.bucket(index);
    // This one may have become coarser while it took in the buckets before.
    if (times > 0) count_in(index >> (other.scale_ - scale_), times);
  }
}

std::uint64_t ExponentialHistogram::count() const {
  return std::accumulate(counts_.begin(), counts_.end(), zero_count_);
}

bool ExponentialHistogram::operator==(const ExponentialHistogram& other) const {
  if (scale_ != other.scale_ || zero_count_ != other.zero_count_ ||
      bucket_count() != other.bucket_count() || (bucket_count() > 0 && low_ != other.low_))
    return false;
  for (int index = low_; index <= high_; ++index)
    if (bucket(index) != other.bucket(index)) return false;
  return true;
}

}  // namespace exa
