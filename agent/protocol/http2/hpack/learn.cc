#include "agent/protocol/http2/hpack/learn.h"

#include <algorithm>
#include <string>
#include <vector>

namespace exa::hpack {
namespace {

// More than a record's blocks make. A loss makes numbers jump.
constexpr std::int64_t kMaxInsertions = 4'096;

bool agrees(const Piece& known, std::string_view seen) {
  switch (known.knowledge) {
    case Knowledge::kText:
      return known.text == seen;
    case Knowledge::kTooLong:
      return known.length_bytes == seen.size();
    case Knowledge::kUnknown:
      break;
  }
  return true;
}

// Could the table have been this one when its newest entry had that number?
bool fits(const DynamicTable& table, std::span<const SeenEntry> entries, std::int64_t number) {
  for (const auto& entry : entries) {
    const auto back = table.newest() - number + 1;
    if (back > table.entries()) return true;
    DynamicTable::Found found;
    if (!table.find(static_cast<std::uint64_t>(back), found) || !agrees(found.name, entry.name) ||
        !agrees(found.value, entry.value))
      return false;
    --number;
  }
  return true;
}

Piece text_piece(std::string_view text) {
  if (text.size() > kMaxStringBytes)
    return {.knowledge = Knowledge::kTooLong, .text = {}, .length_bytes = text.size()};
  return {.knowledge = Knowledge::kText, .text = text, .length_bytes = text.size()};
}

// A known entry, which outlives the table.
struct Kept {
  Piece name;
  Piece value;
  std::string text;

  Kept(const DynamicTable::Found& found) : name(found.name), value(found.value) {
    text.append(name.text).append(value.text);
  }
  void insert(Decoder& decoder) {
    const std::string_view whole = text;
    if (name.knowledge == Knowledge::kText) name.text = whole.substr(0, name.text.size());
    if (value.knowledge == Knowledge::kText) value.text = whole.substr(name.text.size());
    decoder.take_up(name, value);
  }
};

}  // namespace

bool learn(Decoder& decoder, std::span<const SeenEntry> entries, std::int64_t first_number,
           std::int64_t last_number) {
  const auto& table = decoder.table();
  if (last_number - first_number > kMaxInsertions) return false;
  std::int64_t number = 0;
  int places = 0;
  for (auto candidate = first_number; candidate <= last_number; ++candidate) {
    if (!fits(table, entries, candidate)) continue;
    number = candidate;
    ++places;
  }
  if (places != 1) return false;

  std::vector<Kept> known;
  for (auto back = table.entries(); back > 0; --back) {
    DynamicTable::Found found;
    if (!table.find(back, found)) return false;
    known.emplace_back(found);
  }
  const auto newest = table.newest();
  const Decoder::Sizes sizes{.size_bytes = table.size_bytes(),
                             .limit_bytes = decoder.limit_bytes(),
                             .size_known = table.knows_size(),
                             .limit_known = decoder.knows_limit()};
  decoder.restart(Start::kJoined);
  decoder.take_up(sizes);
  // What was seen is whole; older and newer entries are as the decoder knows them.
  const auto oldest_seen = number - static_cast<std::int64_t>(entries.size()) + 1;
  auto its_number = newest - static_cast<std::int64_t>(known.size()) + 1;
  auto next = known.begin();
  for (; next != known.end() && its_number < oldest_seen; ++next, ++its_number)
    next->insert(decoder);
  for (auto at = entries.size(); at-- > 0;)
    decoder.take_up(text_piece(entries[at].name), text_piece(entries[at].value));
  for (; next != known.end(); ++next, ++its_number)
    if (its_number > number) next->insert(decoder);
  return true;
}

}  // namespace exa::hpack
