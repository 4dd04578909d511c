#include "agent/protocol/http2/hpack/dynamic_table.h"

#include <algorithm>
#include <cstring>

namespace exa::hpack {
namespace {

// In place of a text that is not held stands one number: of a long one its length, of an unknown
// name whose it is. That is never more than the text would take, and 32 bytes of overhead, in the
// table.
using StandIn = std::uint64_t;

static_assert(sizeof(LargeTableRoom::text) < std::size_t{1} << 16, "positions are modulo 2^16");

// More entries than any index reaches back.
constexpr std::int64_t kBeyondAnyIndex = std::int64_t{1} << 33;

constexpr Knowledge knowledge_of(std::uint16_t part) {
  return static_cast<Knowledge>(part >> kKnowledgeShift);
}

constexpr std::size_t bytes_of(std::uint16_t part) {
  return part & kMaxPartBytes;
}

std::size_t bytes_for(const Piece& piece) {
  return piece.knowledge == Knowledge::kText ? piece.text.size() : sizeof(StandIn);
}

Piece piece_at(std::uint16_t part, const char* text) {
  const auto knowledge = knowledge_of(part);
  if (knowledge == Knowledge::kText) {
    const auto bytes = bytes_of(part);
    return {.knowledge = knowledge, .text = {text, bytes}, .length_bytes = bytes};
  }
  StandIn stand_in;
  std::memcpy(&stand_in, text, sizeof stand_in);
  if (knowledge == Knowledge::kTooLong)
    return {.knowledge = knowledge, .text = {}, .length_bytes = stand_in};
  return {.knowledge = knowledge, .text = {}, .entry = static_cast<std::int64_t>(stand_in)};
}

void hold_length_only(Piece& piece) {
  if (piece.knowledge != Knowledge::kText) return;
  piece.knowledge = Knowledge::kTooLong;
  piece.text = {};
}

// 0 is none, so what was there before the first entry is -1, -2 and so on.
std::int64_t unknown_id(std::int64_t number) {
  return number > 0 ? number : number - 1;
}

}  // namespace

void DynamicTable::forget_all() {
  held_ = 0;
  held_bytes_ = 0;
  room_begin_ = text_begin_ = text_end_;
}

void DynamicTable::start() {
  forget_all();
  newest_ = 0;
  large_ = nullptr;
  size_known_ = true;
  size_bytes_ = kInitialTableBytes;
  older_ = false;
}

void DynamicTable::join() {
  start();
  size_known_ = false;
  older_ = true;
}

void DynamicTable::lose() {
  forget_all();
  newest_ += kBeyondAnyIndex;
  size_known_ = false;
  older_ = true;
}

void DynamicTable::move_to(LargeTableRoom& room) {
  if (is_large()) return;
  const auto* old_text = text() + static_cast<std::uint16_t>(text_begin_ - room_begin_);
  std::memcpy(room.text.data(), old_text, static_cast<std::uint16_t>(text_end_ - text_begin_));
  for (auto number = newest_ - held_ + 1; number <= newest_; ++number)
    room.entries[static_cast<std::size_t>(number) % LargeTableRoom::kEntries] = entry(number);
  large_ = &room;
  room_begin_ = text_begin_;
}

void DynamicTable::resize(std::uint32_t size_bytes) {
  size_known_ = true;
  size_bytes_ = size_bytes;
  evict_to(size_bytes);
}

std::uint64_t DynamicTable::size_of(const Entry& entry) const {
  const auto* name = text_of(entry);
  const auto* value = name + bytes_of(entry.name);
  return kEntryOverheadBytes + piece_at(entry.name, name).length_bytes +
         piece_at(entry.value, value).length_bytes;
}

bool DynamicTable::reaches_older(std::uint64_t back, Found& found) const {
  if (!older_) return false;
  if (size_known_ && back - held_ > (size_bytes_ - held_bytes_) / kEntryOverheadBytes) return false;
  found.unknown = unknown_id(newest_ - static_cast<std::int64_t>(back) + 1);
  found.name = {.knowledge = Knowledge::kUnknown, .text = {}, .entry = found.unknown};
  found.value = found.name;
  return true;
}

bool DynamicTable::find_name(std::uint64_t back, Found& found) const {
  if (back > held_) return reaches_older(back, found);
  const auto number = newest_ - static_cast<std::int64_t>(back) + 1;
  const auto& held = entry(number);
  found.name = piece_at(held.name, text_of(held));
  found.unknown = found.name.knowledge == Knowledge::kTooLong ? number : found.name.entry;
  return true;
}

bool DynamicTable::find(std::uint64_t back, Found& found) const {
  if (!find_name(back, found)) return false;
  if (back > held_) return true;
  const auto number = newest_ - static_cast<std::int64_t>(back) + 1;
  const auto& held = entry(number);
  found.value = piece_at(held.value, text_of(held) + bytes_of(held.name));
  if (found.value.knowledge != Knowledge::kText) found.unknown = number;
  return true;
}

// What the encoder has evicted too. Older entries went before, and none fits beside those that are
// held if not even an empty one would.
void DynamicTable::evict_to(std::uint64_t bytes) {
  if (held_bytes_ + kEntryOverheadBytes > bytes) older_ = false;
  while (held_bytes_ > bytes)
    drop_oldest();
}

void DynamicTable::drop_oldest() {
  const auto& oldest = entry(newest_ - held_ + 1);
  held_bytes_ -= size_of(oldest);
  --held_;
  text_begin_ =
      static_cast<std::uint16_t>(text_begin_ + bytes_of(oldest.name) + bytes_of(oldest.value));
}

// Of the room, whatever the encoder's table holds. Entries follow each other without a break; at
// the end of the room those that are left move to its front.
void DynamicTable::make_room(std::size_t needed_bytes) {
  const auto used = [this] { return static_cast<std::uint16_t>(text_end_ - text_begin_); };
  while (held_ == max_entries() || used() + needed_bytes > max_text_bytes()) {
    drop_oldest();
    older_ = true;
  }
  const auto end = static_cast<std::uint16_t>(text_end_ - room_begin_);
  if (end + needed_bytes <= room_bytes()) return;
  const auto begin = static_cast<std::uint16_t>(text_begin_ - room_begin_);
  std::memmove(text(), text() + begin, used());
  room_begin_ = text_begin_;
}

std::uint16_t DynamicTable::append(const Piece& piece) {
  const auto bytes = bytes_for(piece);
  auto* to = text() + static_cast<std::uint16_t>(text_end_ - room_begin_);
  if (piece.knowledge == Knowledge::kText) {
    std::ranges::copy(piece.text, to);
  } else {
    const auto stand_in = piece.knowledge == Knowledge::kTooLong
                              ? piece.length_bytes
                              : static_cast<StandIn>(piece.entry);
    std::memcpy(to, &stand_in, sizeof stand_in);
  }
  text_end_ = static_cast<std::uint16_t>(text_end_ + bytes);
  return static_cast<std::uint16_t>(static_cast<unsigned>(piece.knowledge) << kKnowledgeShift |
                                    bytes);
}

void DynamicTable::insert(Piece name, Piece value) {
  const auto size = kEntryOverheadBytes + name.length_bytes + value.length_bytes;
  if (size_known_) {
    if (size > size_bytes_) {  // section 4.4: that empties the table
      forget_all();
      older_ = false;
      return;
    }
    evict_to(size_bytes_ - size);
  }
  if (bytes_for(name) + bytes_for(value) > max_text_bytes()) hold_length_only(value);
  if (bytes_for(name) + bytes_for(value) > max_text_bytes()) hold_length_only(name);
  make_room(bytes_for(name) + bytes_for(value));
  ++newest_;
  auto& added = entry(newest_);
  added.position = text_end_;
  added.name = append(name);
  added.value = append(value);
  ++held_;
  held_bytes_ += size;
}

}  // namespace exa::hpack
