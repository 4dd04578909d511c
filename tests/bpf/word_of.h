// The first 8 bytes of a chunk, as the BPF programs see them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

inline std::uint64_t word_of(std::string_view text) {
  std::uint64_t word = 0;
  std::memcpy(&word, text.data(), std::min<std::size_t>(text.size(), 8));
  return word;
}
