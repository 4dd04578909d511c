// Header blocks by hand, and what comes out of a decoder as lines to compare.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/protocol/http2/hpack/decoder.h"

namespace exa::hpack {

// "8286 84": blanks count nothing.
inline std::string from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  int high = -1;
  for (const char c : hex) {
    if (c == ' ' || c == '\n') continue;
    if (high < 0) {
      high = digit(c);
    } else {
      bytes += static_cast<char>(high << 4 | digit(c));
      high = -1;
    }
  }
  return bytes;
}

// An integer behind the first bits of a representation, RFC 7541 section 5.1.
inline std::string integer(unsigned first_bits, unsigned prefix_bits, std::uint64_t value) {
  const auto most = (1u << prefix_bits) - 1;
  if (value < most) return {static_cast<char>(first_bits | value)};
  std::string bytes{static_cast<char>(first_bits | most)};
  for (value -= most; value >= 0x80; value >>= 7)
    bytes += static_cast<char>(0x80 | (value & 0x7f));
  return bytes + static_cast<char>(value);
}

inline std::string plain(std::string_view text) {
  return integer(0, 7, text.size()).append(text);
}
inline std::string indexed(std::uint64_t index) {
  return integer(0x80, 7, index);
}
inline std::string inserted(std::string_view name, std::string_view value) {
  return integer(0x40, 6, 0) + plain(name) + plain(value);
}
inline std::string inserted(std::uint64_t name_index, std::string_view value) {
  return integer(0x40, 6, name_index) + plain(value);
}
inline std::string not_inserted(std::string_view name, std::string_view value) {
  return integer(0, 4, 0) + plain(name) + plain(value);
}
inline std::string not_inserted(std::uint64_t name_index, std::string_view value) {
  return integer(0, 4, name_index) + plain(value);
}
inline std::string size_update(std::uint64_t bytes) {
  return integer(0x20, 5, bytes);
}

using Lines = std::vector<std::string>;

// "name: value", with ? for what is not known; "[-2] ?: value" with the number of an unknown entry.
inline std::string line_of(const Field& field) {
  std::string line;
  if (field.unknown_id != 0) line = "[" + std::to_string(field.unknown_id) + "] ";
  line += field.name_known ? field.name : "?";
  line += ": ";
  return line += field.value_known ? field.value : "?";
}

struct Decoded {
  BlockResult result;
  Lines lines;
};

inline Decoded decode_all(Decoder& decoder, std::string_view block) {
  Decoded decoded;
  // Of its own size, for a sanitizer to see what is read beyond it.
  const std::vector<char> copy(block.begin(), block.end());
  decoded.result = decoder.decode({copy.data(), copy.size()}, [&](const Field& field) {
    decoded.lines.push_back(line_of(field));
  });
  return decoded;
}

// Of a block that must be valid.
inline Lines lines_of(Decoder& decoder, std::string_view block) {
  auto decoded = decode_all(decoder, block);
  if (decoded.result.status != BlockStatus::kDecoded) decoded.lines.emplace_back("INVALID");
  return decoded.lines;
}

inline BlockStatus status_of(Decoder& decoder, std::string_view block) {
  return decode_all(decoder, block).result.status;
}

// Without a trace in the decoder.
inline BlockStatus status_of_copy(Decoder decoder, std::string_view block) {
  return status_of(decoder, block);
}

// The table's entries, the newest first. On a copy: the index behind the last one is an error.
inline Lines table_of(Decoder decoder) {
  Lines lines;
  for (std::uint64_t index = 62; index <= 61 + decoder.table().entries(); ++index)
    for (const auto& line : lines_of(decoder, indexed(index)))
      lines.push_back(line);
  return lines;
}

}  // namespace exa::hpack
