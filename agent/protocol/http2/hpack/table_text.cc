#include "agent/protocol/http2/hpack/table_text.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "exa/base/raw_values.h"

namespace exa::hpack {
namespace {

// Numbers as they lie in memory: the text is read on the machine on which it was made.
struct Header {
  std::uint32_t size_bytes;
  std::uint32_t limit_bytes;
  std::uint32_t entries;
  std::uint8_t size_known;
  std::uint8_t limit_known;
  std::uint8_t may_have_older;
  std::uint8_t reserved;
};

struct PieceHeader {
  std::uint64_t length_bytes;
  std::uint8_t knowledge;
  std::uint8_t reserved[7];
};

// More than a table of 16 KiB can have.
constexpr std::uint32_t kMaxEntries = LargeTableRoom::kEntries;

void put_piece(std::string& text, const Piece& piece, bool whole) {
  const auto knowledge =
      piece.knowledge == Knowledge::kText && !whole ? Knowledge::kTooLong : piece.knowledge;
  put_raw(text, PieceHeader{.length_bytes = piece.length_bytes,
                            .knowledge = static_cast<std::uint8_t>(knowledge),
                            .reserved = {}});
  if (knowledge == Knowledge::kText) text.append(piece.text);
}

// Whose name an unknown one is, is not known any more: it is nobody else's.
std::optional<Piece> take_piece(std::string_view& text, std::int64_t number) {
  const auto header = take_raw<PieceHeader>(text);
  if (!header || header->knowledge > static_cast<std::uint8_t>(Knowledge::kUnknown))
    return std::nullopt;
  Piece piece{.knowledge = static_cast<Knowledge>(header->knowledge),
              .text = {},
              .length_bytes = header->length_bytes};
  if (piece.length_bytes > UINT32_MAX) return std::nullopt;
  switch (piece.knowledge) {
    case Knowledge::kText:
      if (piece.length_bytes > kMaxStringBytes || piece.length_bytes > text.size())
        return std::nullopt;
      piece.text = text.substr(0, piece.length_bytes);
      text.remove_prefix(piece.length_bytes);
      break;
    case Knowledge::kTooLong:
      break;
    case Knowledge::kUnknown:
      piece.entry = number;
      break;
  }
  return piece;
}

struct Fields {
  Piece name;
  Piece value;
};

}  // namespace

std::string text_of(const Decoder& decoder, KeepsValue keeps) {
  const auto& table = decoder.table();
  std::string text;
  put_raw(text, Header{.size_bytes = table.size_bytes(),
                       .limit_bytes = decoder.limit_bytes(),
                       .entries = table.entries(),
                       .size_known = table.knows_size(),
                       .limit_known = decoder.knows_limit(),
                       .may_have_older = table.may_have_older(),
                       .reserved = 0});
  for (auto back = table.entries(); back > 0; --back) {
    DynamicTable::Found found;
    if (!table.find(back, found)) return {};
    put_piece(text, found.name, true);
    put_piece(text, found.value,
              found.name.knowledge == Knowledge::kText && keeps(found.name.text, found.value.text));
  }
  return text;
}

bool restore(Decoder& decoder, std::string_view text) {
  const auto header = take_raw<Header>(text);
  if (!header || header->entries > kMaxEntries) return false;
  std::vector<Fields> entries;
  for (std::uint32_t number = 1; number <= header->entries; ++number) {
    const auto name = take_piece(text, number);
    const auto value = name ? take_piece(text, number) : std::nullopt;
    if (!value || value->knowledge == Knowledge::kUnknown) return false;
    entries.push_back({*name, *value});
  }
  if (!text.empty()) return false;
  decoder.restart(header->may_have_older != 0 ? Start::kJoined : Start::kFromStart);
  decoder.take_up({.size_bytes = header->size_bytes,
                   .limit_bytes = header->limit_bytes,
                   .size_known = header->size_known != 0,
                   .limit_known = header->limit_known != 0});
  for (const auto& [name, value] : entries)
    decoder.take_up(name, value);
  return true;
}

}  // namespace exa::hpack
