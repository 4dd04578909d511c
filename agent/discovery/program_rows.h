// How the tables of options are written down. Pure.
#pragma once

#include <algorithm>
#include <array>

#include "agent/discovery/program_table.h"

namespace exa {

template <std::size_t... sizes>
constexpr auto rows(const std::array<ProgramOption, sizes>&... parts) {
  std::array<ProgramOption, (sizes + ...)> all{};
  auto at = all.begin();
  ((at = std::ranges::copy(parts, at).out), ...);
  return all;
}

// Of options that take a value and say nothing.
template <typename... Texts>
constexpr auto take_values(Texts... texts) {
  return std::array<ProgramOption, sizeof...(texts)>{ProgramOption{texts, Says::kNothing}...};
}

}  // namespace exa
