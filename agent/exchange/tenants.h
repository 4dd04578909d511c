// Who holds the places of the tracker's tables: processes, those of one parent together, and those
// of one cgroup together, so that neither many connections nor many processes cost others theirs.
// Where the connections are full, the heaviest loses one of its own: the heaviest cgroup, in it the
// heaviest parent, of that the heaviest process. Of what cannot be taken away again, unanswered
// requests and incomplete heads, each process may hold as many as are free.
//
// Capture thread. Owned by ConnectionTracker. Three entries at most for each connection, and for
// each that ended since the last sweep.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/exchange/process_origin.h"
#include "agent/exchange/slot_pool.h"
#include "agent/model/share_loss.h"

namespace exa {

// A process, or all of one parent, or all of one cgroup.
struct Tenant {
  std::uint64_t key = 0;  // tgid, tgid of the parent, cgroup id
  Tenant* above = nullptr;
  std::array<std::uint32_t, kPlaceKinds> held{};  // of a group: connections
  std::array<std::uint64_t, kPlaceKinds> lost{};  // of a process: for want of a share
  std::uint32_t first_connection = kNoSlot;       // of a process: the next to be looked at
  std::map<std::uint64_t, std::unique_ptr<Tenant>> below;
  std::set<std::pair<std::uint32_t, std::uint64_t>> by_connections;  // held, key of those below

  void take(Place place) { ++held[static_cast<std::size_t>(place)]; }
  void give_back(Place place) { --held[static_cast<std::size_t>(place)]; }
  [[nodiscard]] bool may_take(Place place, std::size_t free) const {
    return held[static_cast<std::size_t>(place)] < free;
  }
  void lose(Place place) { ++lost[static_cast<std::size_t>(place)]; }
};

class Tenants {
 public:
  // The process of a further connection.
  Tenant& take(const ProcessOrigin& origin, std::uint32_t tgid);
  void give_back(Tenant& process);
  // Visits what the process holds: in several places if its parent or its cgroup has changed.
  template <typename Visit>
  void for_each_of(std::uint32_t tgid, const Visit& visit) const {
    const auto [first, last] = by_tgid_.equal_range(tgid);
    for (auto entry = first; entry != last; ++entry)
      visit(*entry->second);
  }
  // The process that is to lose one. There is at least one connection.
  [[nodiscard]] Tenant& heaviest();

  // Forgets who holds nothing any more.
  void sweep();

  // Of the processes that hold connections, those that lost anything.
  [[nodiscard]] std::vector<const Tenant*> losers() const;

 private:
  static void count(Tenant& process, std::uint32_t difference);
  void forget_empty(Tenant& tenant);
  void forget_processes(const Tenant& tenant);

  Tenant root_;
  std::unordered_multimap<std::uint32_t, Tenant*> by_tgid_;
  bool any_empty_ = false;
};

}  // namespace exa
