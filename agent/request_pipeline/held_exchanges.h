// Exchanges that wait until their target is known: first in, first out, and all of one target at
// once when it is.
// Capture thread only, owned by RequestPipeline. Bounded by its capacity.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "exa/model/exchange.h"
#include "exa/model/target.h"

namespace exa {

class HeldExchanges {
 public:
  explicit HeldExchanges(std::size_t capacity) : capacity_(capacity) {}

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] bool full() const { return size_ >= capacity_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t free() const { return capacity_ - size_; }

  // Not when full. until never goes back.
  void push(TargetId target, const Exchange& exchange, MonotonicTime until) {
    const auto slot = take_slot();
    auto& item = items_[slot];
    item = {.exchange = exchange, .target = target, .until = until, .before = last_};
    (last_ == kNone ? first_ : items_[last_].after) = slot;
    last_ = slot;
    const auto [chain, is_first] = chains_.try_emplace(target, Chain{slot, slot});
    if (!is_first) {
      items_[chain->second.last].next_of_target = slot;
      chain->second.last = slot;
    }
    ++size_;
  }

  // Of the one that waits longest.
  [[nodiscard]] MonotonicTime front_until() const { return items_[first_].until; }
  [[nodiscard]] TargetId front_target() const { return items_[first_].target; }
  // Takes out the oldest of a target that has one.
  Exchange pop_first_of(TargetId target) {
    const auto chain = chains_.find(target);
    const auto slot = chain->second.first;
    chain->second.first = items_[slot].next_of_target;
    if (chain->second.first == kNone) chains_.erase(chain);
    return release(slot);
  }

  // Takes out all of one target, in order.
  template <typename Visit>
  void take_all_of(TargetId target, Visit visit) {
    const auto chain = chains_.find(target);
    if (chain == chains_.end()) return;
    auto slot = chain->second.first;
    chains_.erase(chain);
    while (slot != kNone) {
      const auto next = items_[slot].next_of_target;
      visit(release(slot));
      slot = next;
    }
  }

 private:
  using Slot = std::uint32_t;
  static constexpr Slot kNone = ~Slot{0};
  struct Item {
    Exchange exchange;
    TargetId target = kNoTarget;
    MonotonicTime until;
    Slot before = kNone;
    Slot after = kNone;
    Slot next_of_target = kNone;
  };
  struct Chain {
    Slot first;
    Slot last;
  };

  Slot take_slot() {
    if (free_.empty()) {
      items_.emplace_back();
      return static_cast<Slot>(items_.size() - 1);
    }
    const auto slot = free_.back();
    free_.pop_back();
    return slot;
  }
  Exchange release(Slot slot) {
    const auto& item = items_[slot];
    (item.before == kNone ? first_ : items_[item.before].after) = item.after;
    (item.after == kNone ? last_ : items_[item.after].before) = item.before;
    free_.push_back(slot);
    --size_;
    return item.exchange;
  }

  std::size_t capacity_;
  std::size_t size_ = 0;
  std::vector<Item> items_;
  std::vector<Slot> free_;
  Slot first_ = kNone;
  Slot last_ = kNone;
  std::unordered_map<TargetId, Chain> chains_;
};

}  // namespace exa
