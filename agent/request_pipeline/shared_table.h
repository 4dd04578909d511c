// Totals of many identities in a table that those share to whom they belong: somebody may take a
// further place only while he holds fewer than are free, and before anybody goes without one, those
// that nobody counted in for kIdleWindows make room. What finds no place counts in one of overflow.
// Window thread only, owned by what it counts for. At most `most` places and that of overflow.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "agent/metrics/fair_shares.h"

namespace exa {

// Identity: a tuple that begins with whose it is; one of nothing but empty parts is overflow.
template <typename Identity, typename Total>
class SharedTable {
 public:
  static constexpr std::uint64_t kIdleWindows = 30;      // where there is no room for others
  static constexpr std::uint64_t kForgottenAfter = 360;  // where there is

  struct Entry {
    Total total;
    std::uint64_t last_window = 0;  // in which it counted
  };
  using Places = std::map<Identity, Entry>;
  using Place = typename Places::value_type;  // stays where it is

  explicit SharedTable(std::size_t most) : most_(most) {}

  void begin_window() { ++window_; }
  // in_use: whether somebody still refers to a place, which stays then. True: the place is new.
  template <typename InUse>
  std::pair<Place*, bool> place(Identity identity, const InUse& in_use) {
    auto known = places_.find(identity);
    if (known == places_.end() && identity != Identity{} && !has_room(identity)) {
      if (std::exchange(made_room_, window_) != window_) forget(kIdleWindows, in_use());
      if (!has_room(identity)) {
        identity = {};
        known = places_.find(identity);
      }
    }
    const bool is_new = known == places_.end();
    if (is_new) {
      if (identity != Identity{}) shares_.take(std::get<0>(identity));
      known = places_.try_emplace(std::move(identity)).first;
    }
    touch(*known);
    return {&*known, is_new};
  }
  void touch(Place& place) const { place.second.last_window = window_; }
  template <typename InUse>
  void end_window(const InUse& in_use) {
    if (window_ % kForgottenAfter == 0) forget(kForgottenAfter, in_use());
  }

  [[nodiscard]] const Places& places() const { return places_; }
  [[nodiscard]] std::uint64_t window() const { return window_; }  // by number

 private:
  [[nodiscard]] bool has_room(const Identity& identity) const {
    const auto held = places_.size() - places_.count(Identity{});
    return held < most_ && shares_.may_take(std::get<0>(identity), most_ - held);
  }
  template <typename IsUsed>
  void forget(std::uint64_t idle, const IsUsed& is_used) {
    std::erase_if(places_, [&](const Place& place) {
      const bool goes = place.second.last_window + idle <= window_ && !is_used(place);
      if (goes && place.first != Identity{}) shares_.give_back(std::get<0>(place.first));
      return goes;
    });
  }

  const std::size_t most_;
  Places places_;
  FairShares<std::string> shares_;
  std::uint64_t window_ = 0;
  std::uint64_t made_room_ = 0;  // in which window: once in each is enough
};

}  // namespace exa
