// Copies of the exchanges that hold a slot, so that a busy window cannot overwrite its own
// candidates in the flight recorder. A slot changes hands about ln n times, so copies are rare.
// Capture thread only, owned by the sampler. Fixed capacity, touched as it fills, emptied at window
// close. When full, slots fall back on the flight recorder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "exa/model/exchange.h"

namespace exa {

class KeptRecords {
 public:
  static constexpr std::uint32_t kNone = 0;  // places count from one

  explicit KeptRecords(std::uint32_t capacity)
      : capacity_(capacity),
        records_(std::make_unique_for_overwrite<std::byte[]>(capacity * sizeof(Exchange))) {}

  // Stores into `place` if it is one, else into a new place; kNone if there is none left.
  std::uint32_t store(std::uint32_t place, const Exchange& exchange) {
    if (place == kNone) {
      if (used_ == capacity_) return kNone;
      place = ++used_;
    }
    std::memcpy(at(place), &exchange, sizeof exchange);
    return place;
  }
  [[nodiscard]] Exchange load(std::uint32_t place) const {
    Exchange exchange;
    std::memcpy(&exchange, at(place), sizeof exchange);
    return exchange;
  }
  void clear() { used_ = 0; }
  [[nodiscard]] std::uint32_t size() const { return used_; }
  [[nodiscard]] std::uint32_t free() const { return capacity_ - used_; }

 private:
  [[nodiscard]] std::byte* at(std::uint32_t place) const {
    return records_.get() + (place - 1) * sizeof(Exchange);
  }

  std::uint32_t capacity_;
  std::uint32_t used_ = 0;
  std::unique_ptr<std::byte[]> records_;
};

}  // namespace exa
