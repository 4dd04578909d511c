#include "agent/metrics/bounds.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace exa {

Bounds::Bounds(std::span<const double> upper_bounds_s)
    : upper_bounds_s_(std::make_shared<const std::vector<double>>(
          upper_bounds_s.begin(),
          upper_bounds_s.begin() +
              static_cast<std::ptrdiff_t>(std::min(upper_bounds_s.size(), kMaxBuckets - 1)))) {
  bounds_ns_.fill(std::numeric_limits<std::uint64_t>::max());
  const auto count = upper_bounds_s_->size();
  for (std::size_t i = 0; i < count; ++i)
    bounds_ns_[i] = static_cast<std::uint64_t>(std::llround((*upper_bounds_s_)[i] * 1e9));
  for (std::size_t octave = 0; octave < first_in_octave_.size(); ++octave) {
    // Values of this octave have bit width `octave`: bounds of a smaller width are surely below.
    std::uint32_t within = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const auto width = static_cast<std::size_t>(std::bit_width(bounds_ns_[i]));
      if (width < octave) ++first_in_octave_[octave];
      if (width == octave) ++within;
    }
    most_in_octave_ = std::max(most_in_octave_, within);
  }
}

std::pair<double, double> Bounds::edges_s(std::size_t bucket) const {
  const auto& bounds = *upper_bounds_s_;
  const double lower = bucket == 0 ? 0 : bounds[bucket - 1];
  return {lower, bucket < bounds.size() ? bounds[bucket] : lower};
}

const Bounds& http_duration_bounds() {
  static const Bounds bounds(
      std::array{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1.0, 2.5, 5.0, 7.5, 10.0});
  return bounds;
}

const Bounds& queue_duration_bounds() {
  static const Bounds bounds(
      std::array{.00001, .0001, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1.0, 5.0});
  return bounds;
}

}  // namespace exa
