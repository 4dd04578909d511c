#include "agent/connection/connection_table.h"

#include <algorithm>
#include <utility>

namespace exa {
namespace {

std::uint64_t hash_of(SocketId id) {
  // Cookies are small counters: spread them over the whole word.
  auto mixed = id * 0x9e3779b97f4a7c15ull;
  mixed ^= mixed >> 32;
  return mixed * 0xd6e8feb86659fd93ull;
}

}  // namespace

ConnectionTable::ConnectionTable(std::size_t max_connections)
    : max_connections_(std::max<std::size_t>(max_connections, 1)),
      index_(max_connections_),
      pool_(whole_slabs(max_connections_)) {}

std::uint32_t ConnectionTable::slot_of(SocketId id) const {
  static_assert(kNoSlot == HashIndex::kNone);
  return index_.find(hash_of(id), [&](std::uint32_t slot) { return pool_[slot].id == id; });
}

Connection* ConnectionTable::find(SocketId id) {
  const auto slot = slot_of(id);
  return slot == kNoSlot ? nullptr : &pool_[slot];
}

Connection* ConnectionTable::insert(SocketId id, Tenant& process) {
  if (full()) return nullptr;
  const auto slot = pool_.acquire();
  if (slot == kNoSlot) return nullptr;
  auto& connection = pool_[slot];
  connection = {};
  connection.id = id;
  index_.insert(hash_of(id), slot);
  link(slot, process);
  ++size_;
  return &connection;
}

void ConnectionTable::erase(SocketId id) {
  const auto slot = slot_of(id);
  if (slot == kNoSlot) return;
  unlink(slot);
  index_.erase(hash_of(id), slot);
  pool_[slot].id = 0;
  pool_.release(slot);
  --size_;
}

Connection* ConnectionTable::next_in_turn() {
  if (pool_.capacity() == 0) return nullptr;
  turn_ = (turn_ + 1) % pool_.capacity();
  auto& connection = pool_[static_cast<std::uint32_t>(turn_)];
  return connection.id == 0 ? nullptr : &connection;
}

Connection* ConnectionTable::oldest_of_next(std::size_t count, Tenant& process) {
  Connection* oldest = nullptr;
  auto& next = process.first_connection;
  for (; count > 0 && next != kNoSlot; --count) {
    auto& connection = pool_[next];
    if (oldest == nullptr || connection.last_activity < oldest->last_activity) oldest = &connection;
    next = connection.next_of_process;
  }
  return oldest;
}

// Behind those that were looked at last.
void ConnectionTable::link(std::uint32_t slot, Tenant& process) {
  auto& connection = pool_[slot];
  connection.process = &process;
  if (process.first_connection == kNoSlot) {
    process.first_connection = connection.next_of_process = connection.previous_of_process = slot;
    return;
  }
  connection.next_of_process = process.first_connection;
  auto& next = pool_[connection.next_of_process];
  connection.previous_of_process = std::exchange(next.previous_of_process, slot);
  pool_[connection.previous_of_process].next_of_process = slot;
}

void ConnectionTable::unlink(std::uint32_t slot) {
  const auto& connection = pool_[slot];
  auto& first = connection.process->first_connection;
  if (connection.next_of_process == slot) {
    first = kNoSlot;
    return;
  }
  pool_[connection.previous_of_process].next_of_process = connection.next_of_process;
  pool_[connection.next_of_process].previous_of_process = connection.previous_of_process;
  if (first == slot) first = connection.next_of_process;
}

}  // namespace exa
