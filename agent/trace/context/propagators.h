// Which request headers carry a trace context. To read another format, add its headers here, a
// reader beside traceparent.h and a case to ContextReader::read: parsers ask only this table which
// headers to hand over.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace exa {

enum class Propagator : std::uint8_t { kW3c };

enum class ContextHeader : std::uint8_t { kTraceparent, kTracestate };

struct ContextHeaderRow {
  std::string_view name;  // lower case
  ContextHeader header;
  Propagator propagator;
};

// In order of precedence: the first propagator with a valid context wins.
inline constexpr std::array kPropagators = {
    ContextHeaderRow{"traceparent", ContextHeader::kTraceparent, Propagator::kW3c},
    ContextHeaderRow{"tracestate", ContextHeader::kTracestate, Propagator::kW3c},
};

// Bit n: some context header's name has n characters. Lets a parser pass over other headers.
inline constexpr std::uint64_t kContextHeaderLengths = [] {
  std::uint64_t lengths = 0;
  for (const auto& row : kPropagators)
    lengths |= std::uint64_t{1} << row.name.size();
  return lengths;
}();

}  // namespace exa
