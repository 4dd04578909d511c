// The tests of uniformity: p-values of the chi-square and the Kolmogorov-Smirnov statistic.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace exa::bench {

// Of counts that should all be equal; Wilson and Hilferty's normal approximation.
inline double chi_square_p(const std::vector<double>& counts) {
  double total = 0;
  for (const double count : counts)
    total += count;
  const double expected = total / static_cast<double>(counts.size());
  double statistic = 0;
  for (const double count : counts)
    statistic += (count - expected) * (count - expected) / expected;
  const double freedom = static_cast<double>(counts.size() - 1);
  const double spread = 2 / (9 * freedom);
  const double z = (std::cbrt(statistic / freedom) - (1 - spread)) / std::sqrt(spread);
  return 0.5 * std::erfc(z / std::sqrt(2.0));
}

// Of positions that should be uniform in [0, 1); the asymptotic distribution.
inline double kolmogorov_smirnov_p(std::vector<double> positions) {
  std::ranges::sort(positions);
  const double n = static_cast<double>(positions.size());
  double distance = 0;
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const double before = static_cast<double>(i) / n;
    distance = std::max({distance, positions[i] - before, before + 1 / n - positions[i]});
  }
  const double lambda = (std::sqrt(n) + 0.12 + 0.11 / std::sqrt(n)) * distance;
  if (lambda < 0.2) return 1;
  double p = 0;
  for (int k = 1; k <= 100; ++k)
    p += (k % 2 == 1 ? 2 : -2) * std::exp(-2 * lambda * lambda * k * k);
  return std::clamp(p, 0.0, 1.0);
}

inline double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values)
    sum += value;
  return sum / static_cast<double>(values.size());
}

inline double quantile(std::vector<double> values, double q) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

}  // namespace exa::bench
