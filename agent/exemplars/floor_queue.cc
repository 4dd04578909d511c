#include "agent/exemplars/floor_queue.h"

#include <algorithm>

#include "agent/trace/ids/randomness.h"

namespace exa {
namespace {

bool smallest_in_front(const FloorQueue::Entry& a, const FloorQueue::Entry& b) {
  return a.rank.beats(b.rank);
}

}  // namespace

FloorQueue::FloorQueue(double probability, std::uint32_t capacity)
    : threshold_(randomness_threshold(probability)),
      exact_threshold_(threshold_),
      capacity_(std::max<std::uint32_t>(capacity, 1)),
      records_(capacity_) {
  entries_.reserve(capacity_);
}

bool FloorQueue::push(const Exchange& exchange, RecordTicket ticket) {
  const auto rank = rank_of(exchange);
  if (entries_.size() < capacity_) {
    entries_.push_back({rank, ticket, records_.store(KeptRecords::kNone, exchange)});
    std::push_heap(entries_.begin(), entries_.end(), smallest_in_front);
    return true;
  }
  const auto& smallest = entries_.front();
  const bool displaces = rank.beats(smallest.rank);
  const auto dropped = displaces ? smallest.rank.randomness : rank.randomness;
  exact_threshold_ = std::max(exact_threshold_, dropped + 1);
  if (!displaces) return false;
  std::pop_heap(entries_.begin(), entries_.end(), smallest_in_front);
  auto& place = entries_.back();
  place = {rank, ticket, records_.store(place.kept, exchange)};
  std::push_heap(entries_.begin(), entries_.end(), smallest_in_front);
  return false;
}

void FloorQueue::clear() {
  entries_.clear();
  records_.clear();
  exact_threshold_ = threshold_;
}

}  // namespace exa
