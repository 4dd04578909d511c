// Finds a handful of names in a string table of any size by one pass over it.
//
// Symbol tables refer to their names by offset, so once the offsets of the wanted names are known
// no other string has to be read: memory is one window, whatever the table's size. Linkers merge
// tails (a symbol "read" may point into "SSL_read"), so a match may begin inside a longer string.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "agent/discovery/elf/bounded_reader.h"

namespace exa {

struct NameOffset {
  std::uint64_t offset;  // from the table's start
  std::uint32_t wanted;  // index into the wanted names
  auto operator<=>(const NameOffset&) const = default;
};

inline constexpr std::size_t kMaxWantedNames = 64;
inline constexpr std::size_t kMaxWantedNameBytes = 255;

// All places where a wanted name stands, ended by a NUL; sorted by offset. kTooMuch if the table
// repeats them without end.
[[nodiscard]] ElfResult<std::vector<NameOffset>> find_names(
    BoundedReader& reader, std::uint64_t table_offset, std::uint64_t table_bytes,
    std::span<const std::string_view> wanted);

// Answers "which wanted name stands at this offset" for millions of offsets, nearly all of which
// stand for none.
class NameIndex {
 public:
  explicit NameIndex(std::span<const NameOffset> sorted);
  [[nodiscard]] bool empty() const { return sorted_.empty(); }
  [[nodiscard]] const NameOffset* find(std::uint64_t offset) const {
    const auto bit = hash(offset);
    if ((filter_[bit / 64] >> (bit % 64) & 1) == 0) return nullptr;
    return find_exact(offset);
  }

 private:
  static constexpr std::size_t kFilterBits = 4096;
  static std::size_t hash(std::uint64_t offset) {
    return static_cast<std::size_t>((offset * 0x9e3779b97f4a7c15u) >> 52);
  }
  const NameOffset* find_exact(std::uint64_t offset) const;

  std::span<const NameOffset> sorted_;
  std::uint64_t filter_[kFilterBits / 64] = {};
};

}  // namespace exa
