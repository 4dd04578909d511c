// Divides the places of a shared table among those who fill it: somebody may take a further place
// only while he holds fewer than are free. One alone gets half of the table, the next half of what
// is left, and so on: whoever is new finds room, however greedy the others are, and nothing is set
// aside for those who never come.
// One thread, owned by the table. As many entries as the table has places.
#pragma once

#include <cstdint>
#include <unordered_map>

namespace exa {

template <typename Owner>
class FairShares {
 public:
  [[nodiscard]] bool may_take(const Owner& owner, std::size_t free) const {
    const auto known = held_.find(owner);
    return (known == held_.end() ? 0 : known->second) < free;
  }
  void take(const Owner& owner) { ++held_[owner]; }
  void give_back(const Owner& owner) {
    if (const auto known = held_.find(owner); known != held_.end() && --known->second == 0)
      held_.erase(known);
  }

 private:
  std::unordered_map<Owner, std::size_t> held_;
};

}  // namespace exa
