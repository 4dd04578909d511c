// One T for each series, by its index. Capture thread. Grows with the indices of the registry, so
// in steady state nothing is allocated.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "agent/metrics/series_registry.h"

namespace exa {

template <typename T>
class PerSeries {
 public:
  [[nodiscard]] T& of(SeriesIndex series) {
    if (series >= all_.size()) [[unlikely]]
      all_.resize(series + 1);
    return all_[series];
  }
  // Of one below a bound that was covered.
  [[nodiscard]] const T& operator[](SeriesIndex series) const { return all_[series]; }
  [[nodiscard]] T& operator[](SeriesIndex series) { return all_[series]; }

  void cover(std::size_t index_bound) { all_.resize(std::max(all_.size(), index_bound)); }
  void forget(SeriesIndex series) {
    if (series < all_.size()) all_[series] = T{};
  }

 private:
  std::vector<T> all_;
};

}  // namespace exa
