// Why fewer exemplar spans would be better. A value.
#pragma once

#include <cstdint>

namespace exa {

// Of the window that closes.
struct BudgetPressure {
  bool backend = false;  // it asked to be left alone for a while, or spans pile up in the queue
  bool agent = false;    // reading what the kernel saw took most of a core
  // As a recording has it: bit 0 of the backend, bit 1 of the agent.
  [[nodiscard]] constexpr std::uint8_t bits() const {
    return static_cast<std::uint8_t>((backend ? 1U : 0U) | (agent ? 2U : 0U));
  }
  static constexpr BudgetPressure from_bits(std::uint8_t bits) {
    return {.backend = (bits & 1U) != 0, .agent = (bits & 2U) != 0};
  }
  bool operator==(const BudgetPressure&) const = default;
};

}  // namespace exa
