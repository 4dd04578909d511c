// The last exchanges of this node, whole: spans are made from them in retrospect.
// Capture thread only, owned by RequestPipeline. A fixed ring; memory is touched as it fills.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

#include "exa/model/exchange.h"

namespace exa {

// Names one record for ever: the place in the ring and its generation in one growing number.
using RecordTicket = std::uint64_t;

class FlightRecorder {
 public:
  // Rounded up to a power of two.
  explicit FlightRecorder(std::size_t capacity_records);

  RecordTicket push(const Exchange& exchange) {
    const auto at = next_ & mask_;
    std::memcpy(records_.get() + at * sizeof(Exchange), &exchange, sizeof(Exchange));
    trace_hashes_[at] = trace_hash(exchange.trace_id);
    return next_++;
  }

  // Nothing if the record was overwritten since.
  [[nodiscard]] std::optional<Exchange> find(RecordTicket ticket) const {
    if (ticket >= next_ || next_ - ticket > capacity()) return std::nullopt;
    Exchange exchange;
    std::memcpy(&exchange, records_.get() + (ticket & mask_) * sizeof(Exchange), sizeof(Exchange));
    return exchange;
  }

  // Leaves the record out of later scans: its span is exported.
  void mark_exported(RecordTicket ticket) {
    if (ticket < next_ && next_ - ticket <= capacity()) trace_hashes_[ticket & mask_] = 0;
  }

  // Calls visit(ticket, hash) for every record that is whole and not exported, oldest first. The
  // hash of such a record is never zero.
  template <typename Visit>
  void for_each_trace_hash(Visit visit) const {
    for (auto ticket = next_ > capacity() ? next_ - capacity() : 0; ticket < next_; ++ticket)
      if (const auto hash = trace_hashes_[ticket & mask_]; hash != 0) visit(ticket, hash);
  }

  // Trace ids are the callers': two multiplications keep crafted ones from piling up.
  static std::uint32_t trace_hash(const TraceId& id) {
    std::uint64_t halves[2];
    std::memcpy(halves, id.bytes.data(), sizeof halves);
    const auto mixed = (halves[0] * 0x9e3779b97f4a7c15) ^ (halves[1] * 0xd6e8feb86659fd93);
    return static_cast<std::uint32_t>(mixed >> 32) | 1;
  }

  [[nodiscard]] std::size_t capacity() const { return mask_ + 1; }

 private:
  std::size_t mask_;
  std::uint64_t next_ = 0;
  std::unique_ptr<std::byte[]> records_;  // Exchange is trivially copyable: bytes are all it needs
  std::unique_ptr<std::uint32_t[]> trace_hashes_;
};

}  // namespace exa
