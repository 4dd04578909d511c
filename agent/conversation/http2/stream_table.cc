#include "agent/conversation/http2/stream_table.h"

namespace exa {
namespace {

std::uint64_t hash_of(std::uint32_t connection, std::uint32_t id) {
  // Both are small counters: spread them over the whole word.
  auto mixed = (std::uint64_t{connection} << 32 | id) * 0x9e3779b97f4a7c15ull;
  mixed ^= mixed >> 32;
  return mixed * 0xd6e8feb86659fd93ull;
}

}  // namespace

std::uint32_t StreamTable::find(std::uint32_t connection, std::uint32_t id) const {
  static_assert(kNoSlot == HashIndex::kNone);
  return index_.find(hash_of(connection, id), [&](std::uint32_t slot) {
    return pool_[slot].connection == connection && pool_[slot].id == id;
  });
}

std::uint32_t StreamTable::insert(OfConnection& streams, std::uint32_t connection,
                                  std::uint32_t id) {
  const auto slot = pool_.acquire();
  if (slot == kNoSlot) return kNoSlot;
  auto& stream = pool_[slot];
  stream = {};
  stream.connection = connection;
  stream.id = id;
  stream.next = streams.first;
  if (streams.first != kNoSlot) pool_[streams.first].previous = slot;
  streams.first = slot;
  ++streams.count;
  index_.insert(hash_of(connection, id), slot);
  return slot;
}

void StreamTable::erase(OfConnection& streams, std::uint32_t slot) {
  const auto& stream = pool_[slot];
  index_.erase(hash_of(stream.connection, stream.id), slot);
  if (stream.next != kNoSlot) pool_[stream.next].previous = stream.previous;
  if (stream.previous != kNoSlot) {
    pool_[stream.previous].next = stream.next;
  } else {
    streams.first = stream.next;
  }
  --streams.count;
  pool_.release(slot);
}

}  // namespace exa
