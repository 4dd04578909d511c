// Which request headers carry a trace context. The table of them all is filtered once, by the
// propagators that are read: a head then costs no more for the formats that are not.
// Pure. ContextHeaders: made at the start by whoever parses heads, read-only afterwards.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "agent/model/propagators.h"
#include "exa/base/ascii.h"
#include "exa/model/trace_context.h"

namespace exa {

// What a context is read from. Of B3, which has two encodings, a request may carry both.
enum class ContextSource : std::uint8_t { kW3c, kB3Single, kB3Multi, kJaeger, kXray, kDatadog };
inline constexpr std::size_t kContextSources = 6;

enum class ContextHeader : std::uint8_t {
  kTraceparent,
  kTracestate,
  kB3,
  kB3TraceId,
  kB3SpanId,
  kB3Sampled,
  kB3Flags,
  kUberTraceId,
  kAmznTraceId,
  kDatadogTraceId,
  kDatadogParentId,
  kDatadogSamplingPriority,
  kDatadogTags,
};
inline constexpr std::size_t kContextHeaders = 13;

struct ContextHeaderRow {
  std::string_view name{};  // lower case
  ContextHeader header{};
  ContextSource source{};
  bool identifies = false;  // without its value the ids are not known
  // Adds what the value says to the context; false if it is malformed. Null: of its own kind.
  bool (*read)(std::string_view value, TraceContext& context) = nullptr;
};

class ContextHeaders {
 public:
  constexpr ContextHeaders() = default;  // of no propagator
  explicit ContextHeaders(const PropagatorList& propagators);

  // Null: the header, its name in any case, is none of them.
  [[nodiscard]] const ContextHeaderRow* find(std::string_view name) const {
    if (name.size() > 63 || (lengths_ >> name.size() & 1) == 0) return nullptr;
    for (const auto& row : std::span(rows_).first(row_count_))
      if (equals_ignoring_case(name, row.name)) return &row;
    return nullptr;
  }

  // In order of precedence: the first one with a valid context wins.
  [[nodiscard]] std::span<const ContextSource> sources() const {
    return std::span(sources_).first(source_count_);
  }

 private:
  void add(ContextSource source);

  std::uint64_t lengths_ = 0;  // bit n: some header's name has n characters
  std::size_t row_count_ = 0;
  std::size_t source_count_ = 0;
  std::array<ContextHeaderRow, kContextHeaders> rows_{};
  std::array<ContextSource, kContextSources> sources_{};
};

// Of any propagator; name in lower case.
bool is_context_header(std::string_view name);

}  // namespace exa
