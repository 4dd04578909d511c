// All tracked connections by SocketId: an index over pooled connections.
// Capture thread. Owned by ConnectionTracker. At most max_connections of at most 336 bytes; an
// index of 16 bytes for each that is allowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/connection/connection.h"
#include "agent/exchange/slot_pool.h"
#include "exa/base/hash_index.h"

namespace exa {

class ConnectionTable {
 public:
  explicit ConnectionTable(std::size_t max_connections);

  [[nodiscard]] Connection* find(SocketId id);
  // A fresh connection of that process, or nullptr when the table is full. id is not in the table.
  Connection* insert(SocketId id, Tenant& process);
  void erase(SocketId id);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool full() const { return size_ >= max_connections_; }

  // Looks at up to count connections of a process, going round, and returns the one that was idle
  // longest; nullptr if there is none.
  [[nodiscard]] Connection* oldest_of_next(std::size_t count, Tenant& process);

  // Visits the connections of a process; the visitor may erase the one it is given.
  template <typename Visit>
  void for_each_of(const Tenant& process, const Visit& visit) {
    auto next = process.first_connection;
    for (auto left = process.held[static_cast<std::size_t>(Place::kConnection)]; left > 0; --left) {
      auto& connection = pool_[next];
      next = connection.next_of_process;
      visit(connection);
    }
  }

  // The next connection going round, looking at one place; nullptr if it is empty.
  [[nodiscard]] Connection* next_in_turn();
  [[nodiscard]] std::size_t places() const { return pool_.capacity(); }

 private:
  void link(std::uint32_t slot, Tenant& process);
  void unlink(std::uint32_t slot);
  [[nodiscard]] std::uint32_t slot_of(SocketId id) const;  // kNoSlot: not in the table

  std::size_t max_connections_;
  std::size_t size_ = 0;
  std::size_t turn_ = 0;
  HashIndex index_;
  SlotPool<Connection> pool_;
};

}  // namespace exa
