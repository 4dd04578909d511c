// The bucket bounds of an explicit histogram, and the search for a bucket that costs the same for
// every value. Immutable; any thread.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace exa {

inline constexpr std::size_t kMaxBuckets = 16;

class Bounds {
 public:
  // Ascending upper bounds in the metric's unit, inclusive, at most kMaxBuckets - 1 of them. Values
  // are whole numbers, `scale` of which make one unit: nanoseconds of a second.
  Bounds(std::span<const double> upper_bounds, double scale);

  // Number of bounds below the value, without a branch that depends on it: the value's power of two
  // leaves only the few bounds within one octave to compare with.
  [[nodiscard]] std::uint8_t bucket(std::uint64_t value) const {
    const auto octave = static_cast<std::size_t>(std::bit_width(value));
    std::uint32_t index = first_in_octave_[octave];
    std::uint32_t above = 0;
    for (std::uint32_t i = 0; i < most_in_octave_; ++i)
      above += value > bounds_[index + i];
    return static_cast<std::uint8_t>(index + above);
  }

  [[nodiscard]] std::size_t bucket_count() const { return upper_bounds_->size() + 1; }
  [[nodiscard]] const std::shared_ptr<const std::vector<double>>& upper_bounds() const {
    return upper_bounds_;
  }
  [[nodiscard]] double in_units(auto value) const { return static_cast<double>(value) / scale_; }
  // Lower and upper edge; the last bucket has no upper one and returns its lower edge twice.
  [[nodiscard]] std::pair<double, double> edges(std::size_t bucket) const;

 private:
  // Two octaves' worth of infinite bounds follow the last one, so that no search runs over.
  std::array<std::uint64_t, 2 * kMaxBuckets> bounds_;
  std::array<std::uint8_t, 65> first_in_octave_{};
  std::uint32_t most_in_octave_ = 0;
  double scale_;
  std::shared_ptr<const std::vector<double>> upper_bounds_;
};

// As the conventions advise (semantics/semantics.h says which version).
const Bounds& request_duration_bounds();
// Time in the socket queue begins three decades lower.
const Bounds& queue_duration_bounds();
// The conventions leave bounds of sizes open: none at all, then from 64 bytes to a gibibyte in
// steps of four.
const Bounds& body_size_bounds();
// Of what is only counted.
const Bounds& no_bounds();

}  // namespace exa
