// What windows counted since a series began. Window thread.
#pragma once

#include <algorithm>

#include "agent/metrics/bounds.h"
#include "agent/metrics/distribution.h"
#include "exa/model/metric.h"

namespace exa {

struct CumulativeTotal {
  __extension__ using WideSum = unsigned __int128;  // sums of years of many requests at once

  WallTime start;
  Distribution counted{};  // but for the sum
  WideSum sum = 0;

  void add(const Distribution& delta) {
    counted.merge(delta);
    sum += delta.sum;
  }
  // When a window that ends then has been added; the wall clock may have been set back.
  [[nodiscard]] WallTime time(WallTime now) const { return std::max(now, start); }

  [[nodiscard]] NumberPoint number_point(Attributes attributes, WallTime now) const {
    return {.attributes = std::move(attributes),
            .start = start,
            .time = time(now),
            .value = static_cast<std::int64_t>(counted.count()),
            .exemplars = {}};
  }
  [[nodiscard]] HistogramPoint histogram_point(Attributes attributes, WallTime now,
                                               const Bounds& bounds) const {
    HistogramPoint point;
    point.attributes = std::move(attributes);
    point.start = start;
    point.time = time(now);
    point.count = counted.count();
    point.sum = bounds.in_units(sum);
    point.min = bounds.in_units(counted.min);
    point.max = bounds.in_units(counted.max);
    point.bucket_counts.assign(
        counted.bucket_counts.begin(),
        counted.bucket_counts.begin() + static_cast<std::ptrdiff_t>(bounds.bucket_count()));
    point.bounds = bounds.upper_bounds();
    return point;
  }
};

}  // namespace exa
