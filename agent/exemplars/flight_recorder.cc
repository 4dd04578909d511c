#include "agent/exemplars/flight_recorder.h"

#include <algorithm>
#include <bit>

namespace exa {

FlightRecorder::FlightRecorder(std::size_t capacity_records)
    : mask_(std::bit_ceil(std::max<std::size_t>(capacity_records, 1)) - 1),
      records_(std::make_unique_for_overwrite<std::byte[]>((mask_ + 1) * sizeof(Exchange))),
      trace_hashes_(std::make_unique_for_overwrite<std::uint32_t[]>(mask_ + 1)) {}

}  // namespace exa
