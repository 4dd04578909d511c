// Admits requests whose value lies above a quantile of the last values of their series. It is taken
// anew whenever a tenth of them has changed; none is admitted before the first ten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/exemplars/policies/policy.h"
#include "agent/metrics/per_series.h"

namespace exa {

class Percentile final : public Policy {
 public:
  static constexpr std::uint32_t kLeast = 10;  // values, before anything is admitted

  // last is at least kLeast.
  Percentile(double quantile, std::uint32_t last) : quantile_(quantile), last_(last) {}

  void see(const Offer& offer) override;
  [[nodiscard]] bool admits(const Offer& offer) override {
    return offer.value > memory_[offer.series].above;
  }
  void forget(SeriesIndex series) override { memory_.forget(series); }

 private:
  struct Memory {
    std::vector<std::uint64_t> values;  // a ring
    std::uint32_t seen = 0;             // at most last_
    std::uint32_t next = 0;
    std::uint32_t update_in = kLeast;
    std::uint64_t above = UINT64_MAX;
  };

  void update(Memory& memory);

  double quantile_;
  std::uint32_t last_;
  PerSeries<Memory> memory_;
  std::vector<std::uint64_t> sorted_;  // in part, while a quantile is taken
};

}  // namespace exa
