// What the accounts of all exchanges of a series tell beside the histogram of their durations: the
// states that their time was spent in, which add up to the histogram's sum, and retransmits.
// Window thread; pure.
#pragma once

#include <vector>

#include "agent/metrics/series_key.h"
#include "agent/why/account_sum.h"
#include "exa/model/metric.h"

namespace exa {

// Of one metric, a monotonic sum.
struct AccountPoints {
  const MetricDescription* description = nullptr;
  const char* unit = nullptr;  // UCUM
  std::vector<NumberPoint> points;
};

// total: since the series began; bare: a point with its attributes and times. No metrics where
// nothing is known. A state that cannot be told yet has no point; from then on all of them have.
std::vector<AccountPoints> account_points(const SeriesKey& key, const AccountSum& total,
                                          const NumberPoint& bare);

}  // namespace exa
