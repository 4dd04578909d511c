// Exchanges that wait until their target is known. Capture thread only, owned by RequestPipeline.
// A bounded first-in first-out; no allocation after construction.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "exa/model/exchange.h"

namespace exa {

class HeldExchanges {
 public:
  explicit HeldExchanges(std::size_t capacity) : capacity_(capacity) { items_.reserve(capacity); }

  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] bool full() const { return size() >= capacity_; }
  [[nodiscard]] std::size_t size() const { return items_.size() - first_; }

  // Not when full.
  void push(const Exchange& exchange, MonotonicTime until) {
    if (items_.size() == capacity_) compact();
    items_.push_back({exchange, until});
  }
  [[nodiscard]] MonotonicTime front_until() const { return items_[first_].until; }
  Exchange pop() {
    const auto exchange = items_[first_++].exchange;
    if (first_ == items_.size()) compact();
    return exchange;
  }
  // Takes out all of one process, in order.
  template <typename Visit>
  void take_all_of(std::uint32_t tgid, Visit visit) {
    const auto waiting = items_.begin() + static_cast<std::ptrdiff_t>(first_);
    for (auto item = waiting; item != items_.end(); ++item)
      if (item->exchange.tgid == tgid) visit(item->exchange);
    items_.erase(std::remove_if(waiting, items_.end(),
                                [&](const Item& item) { return item.exchange.tgid == tgid; }),
                 items_.end());
    if (first_ == items_.size()) compact();
  }

 private:
  struct Item {
    Exchange exchange;
    MonotonicTime until;
  };
  void compact() {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }

  std::size_t capacity_;
  std::size_t first_ = 0;
  std::vector<Item> items_;
};

}  // namespace exa
