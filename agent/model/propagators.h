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

// Those that are read, in order of precedence, each once.
class PropagatorList {
 public:
  static constexpr std::size_t kMost = 5;

  constexpr PropagatorList() = default;  // none
  constexpr PropagatorList(std::initializer_list<Propagator> propagators) {
    for (const auto propagator : propagators)
      add(propagator);
  }

  // Behind those that are there, unless it is one of them.
  constexpr void add(Propagator propagator) {
    if (std::ranges::find(all(), propagator) == all().end()) order_[count_++] = propagator;
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
