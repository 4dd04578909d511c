// Which exemplar a bucket shows. Prometheus keeps exemplars of a bucket in the order of their time
// and refuses what is not newer, so it remembers what each bucket has shown last.
// The rendering thread only. Budget: one timestamp a bucket of the series rendered last.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "exa/model/metric.h"

namespace exa {

class ExemplarPicker {
 public:
  // An exemplar may be this much older than its window: requests that ended just before the window
  // opened can become known after it did.
  static constexpr std::uint64_t kLatenessNs = 1'000'000'000;

  // Begins a batch. Series that it does not ask for are forgotten at the next begin.
  void begin(WallTime window_start);

  // One pointer a bucket of the point, null where it shows none: with ids, inside the bucket, of
  // this window, newer than the one the bucket showed before; of several the one that says most.
  std::vector<const Exemplar*> pick(const std::string& series, const HistogramPoint& point);

 private:
  struct Shown {
    std::vector<std::uint64_t> last_ms;  // by bucket
    bool seen = false;
  };
  WallTime window_start_;
  std::unordered_map<std::string, Shown> shown_;
};

// The bucket that a value is counted in: the first whose upper bound is not below it.
std::size_t bucket_of(double value, const std::vector<double>& bounds);

}  // namespace exa
