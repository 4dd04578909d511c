#include "agent/metrics/bounds.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace exa {

Bounds::Bounds(std::span<const double> upper_bounds, double scale)
    : scale_(scale),
      upper_bounds_(std::make_shared<const std::vector<double>>(
          upper_bounds.begin(),
          upper_bounds.begin() +
              static_cast<std::ptrdiff_t>(std::min(upper_bounds.size(), kMaxBuckets - 1)))) {
  bounds_.fill(std::numeric_limits<std::uint64_t>::max());
  const auto count = upper_bounds_->size();
  for (std::size_t i = 0; i < count; ++i)
    bounds_[i] = static_cast<std::uint64_t>(std::llround((*upper_bounds_)[i] * scale));
  for (std::size_t octave = 0; octave < first_in_octave_.size(); ++octave) {
    // Values of this octave have bit width `octave`: bounds of a smaller width are surely below.
    std::uint32_t within = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const auto width = static_cast<std::size_t>(std::bit_width(bounds_[i]));
      if (width < octave) ++first_in_octave_[octave];
      if (width == octave) ++within;
    }
    most_in_octave_ = std::max(most_in_octave_, within);
  }
}

std::pair<double, double> Bounds::edges(std::size_t bucket) const {
  const auto& bounds = *upper_bounds_;
  const double lower = bucket == 0 ? 0 : bounds[bucket - 1];
  return {lower, bucket < bounds.size() ? bounds[bucket] : lower};
}

const Bounds& request_duration_bounds() {
  static const Bounds bounds(
      std::array{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1.0, 2.5, 5.0, 7.5, 10.0}, 1e9);
  return bounds;
}

const Bounds& queue_duration_bounds() {
  static const Bounds bounds(
      std::array{.00001, .0001, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1.0, 5.0},
      1e9);
  return bounds;
}

const Bounds& body_size_bounds() {
  static const Bounds bounds(
      std::array{0.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0,
                 16777216.0, 67108864.0, 268435456.0, 1073741824.0},
      1);
  return bounds;
}

const Bounds& no_bounds() {
  static const Bounds bounds({}, 1);
  return bounds;
}

}  // namespace exa
