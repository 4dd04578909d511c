// A histogram whose buckets grow by a constant factor, as OpenTelemetry's data model has it: bucket
// i holds the values in (base^i, base^(i+1)], base = 2^(2^-scale). It begins as fine as it can and
// halves its resolution, which loses no count, whenever the values do not fit into kMostBuckets.
// Source: opentelemetry.io/docs/specs/otel/metrics/data-model, ExponentialHistogram.
// Capture thread while the window is open; a value afterwards. 1.3 KiB, no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace exa {

class ExponentialHistogram {
 public:
  static constexpr std::size_t kMostBuckets = 160;
  static constexpr int kFinest = 20;

  void add(double value, std::uint64_t times = 1);
  // The result is that of all values in one histogram.
  void merge(const ExponentialHistogram& other);

  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] int scale() const { return scale_; }
  // Of values that are not above zero.
  [[nodiscard]] std::uint64_t zero_count() const { return zero_count_; }
  // Bucket of the first count; only where there is one.
  [[nodiscard]] int offset() const { return low_; }
  [[nodiscard]] std::size_t bucket_count() const {
    return high_ < low_ ? 0 : static_cast<std::size_t>(high_ - low_) + 1;
  }
  [[nodiscard]] std::uint64_t bucket(int index) const { return counts_[place_of(index)]; }

  bool operator==(const ExponentialHistogram& other) const;

  // The bucket of a positive value.
  [[nodiscard]] static int index_of(double value, int scale);

 private:
  // Any kMostBuckets neighbours have places of their own.
  [[nodiscard]] static std::size_t place_of(int index) {
    constexpr int kMost = static_cast<int>(kMostBuckets);
    return static_cast<std::size_t>((index % kMost + kMost) % kMost);
  }
  void count_in(int index, std::uint64_t times);
  void coarsen(int steps);

  std::array<std::uint64_t, kMostBuckets> counts_{};
  std::uint64_t zero_count_ = 0;
  int scale_ = kFinest;
  int low_ = 0;  // the first and the last bucket that counted something
  int high_ = -1;
};

}  // namespace exa
