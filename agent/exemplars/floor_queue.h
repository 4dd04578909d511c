// Requests of the largest R on this node, whatever series they count in: all agents export these,
// so their traces are whole on every node. Bounded; when full, the smallest R goes, so the choice
// depends neither on the order of requests nor on the node.
// Capture thread, owned by the sampler. No allocation after construction.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/exemplars/flight_recorder.h"
#include "agent/exemplars/kept_records.h"
#include "agent/exemplars/slot.h"

namespace exa {

class FloorQueue {
 public:
  FloorQueue(double probability, std::uint32_t capacity);

  [[nodiscard]] bool admits(const Exchange& exchange) const {
    return exchange.randomness >= threshold_;
  }
  // False if a request was dropped for it, or it itself.
  bool push(const Exchange& exchange, RecordTicket ticket);

  struct Entry {
    Rank rank;
    RecordTicket ticket;
    std::uint32_t kept;
  };
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] Exchange load(const Entry& entry) const { return records_.load(entry.kept); }
  // Every request with R at or above it is in the queue.
  [[nodiscard]] std::uint64_t exact_threshold() const { return exact_threshold_; }
  void clear();

 private:
  std::uint64_t threshold_;
  std::uint64_t exact_threshold_;
  std::uint32_t capacity_;
  std::vector<Entry> entries_;  // heap, smallest rank in front
  KeptRecords records_;
};

}  // namespace exa
