// A synthesised span (OpenTelemetry trace.proto, Span).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exa/base/time.h"
#include "exa/model/attribute.h"
#include "exa/model/trace_context.h"

namespace exa {

enum class SpanKind : std::uint8_t { kInternal = 1, kServer = 2, kClient = 3 };
enum class SpanStatus : std::uint8_t { kUnset = 0, kOk = 1, kError = 2 };

// Span.flags beyond the eight W3C bits: is the parent known to be remote.
inline constexpr std::uint32_t kSpanHasIsRemote = 0x100;
inline constexpr std::uint32_t kSpanIsRemote = 0x200;

// Something that happened at a time; of a span of ours maybe before it began or after it ended.
struct SpanEvent {
  WallTime time;
  std::string name;
  bool operator==(const SpanEvent&) const = default;
};

struct Span {
  std::shared_ptr<const Resource> resource;
  TraceId trace_id;
  SpanId span_id;
  SpanId parent_span_id;  // invalid: a root
  std::string trace_state;
  std::string name;
  SpanKind kind = SpanKind::kInternal;
  std::uint32_t flags = 0;
  WallTime start;
  WallTime end;
  Attributes attributes;
  std::vector<SpanEvent> events;  // in the order of their times
  SpanStatus status = SpanStatus::kUnset;
  std::string status_message;
};

}  // namespace exa
