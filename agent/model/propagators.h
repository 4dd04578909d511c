// The formats in which requests carry trace contexts, and which of them are read. Values; pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace exa {

enum class Propagator : std::uint8_t { kW3c, kB3, kJaeger, kXray, kDatadog };

// Those that are read, each once, in the order of OTEL_PROPAGATORS: as with an SDK, which lets each
// overwrite what those before it found, the last one with a valid context counts.
class PropagatorList {
 public:
  static constexpr std::size_t kMost = 5;

  constexpr PropagatorList() = default;  // none
  constexpr PropagatorList(std::initializer_list<Propagator> propagators) {
    for (const auto propagator : propagators)
      add(propagator);
  }

  // Behind all others, if it was there already too.
  constexpr void add(Propagator propagator) {
    const auto end = std::remove(order_.begin(), order_.begin() + count_, propagator);
    *end = propagator;
    count_ = static_cast<std::uint8_t>(end - order_.begin() + 1);
  }

  [[nodiscard]] constexpr std::span<const Propagator> all() const {
    return std::span(order_).first(count_);
  }

  bool operator==(const PropagatorList&) const = default;

 private:
  std::array<Propagator, kMost> order_{};
  std::uint8_t count_ = 0;
};

}  // namespace exa
