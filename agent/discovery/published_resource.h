// What the SDK in a process publishes of itself for readers outside: the resource of its telemetry.
// A mapping holds a header, and that says where in the process's memory the resource lies, as
// OTLP's protobuf.
// Source: OpenTelemetry OTEP 4719, "Process Context: Sharing Resource Attributes with External
// Readers", version 2 of the header.
// Pure, but for the two that read for a reader. Every byte is the process's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "agent/discovery/proc_parsers.h"

namespace exa {

inline constexpr std::size_t kMaxPublishedBytes = 64u << 10;
inline constexpr std::size_t kMaxPublishedText = 4u
                                                 << 10;  // each; an attribute beyond it is left out

// As the process's environment would say it. Values that are no text, number or truth are left out,
// and so is what comes after something broken. Empty: it says nothing.
OtelEnvironment parse_published(std::span<const std::byte> payload);

// The reader's part. iterator: see kernel::MappingIterator::published_by. 0: nowhere.
std::uint64_t place_of_published(int iterator);
// memory: /proc/PID/mem. Nothing where the process is changing it all the time.
OtelEnvironment read_published(int memory, std::uint64_t header_at);

}  // namespace exa
