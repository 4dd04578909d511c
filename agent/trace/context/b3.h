// The header values of B3 (openzipkin/b3-propagation), in its two encodings: one header, or
// several. Digits are in lower case, as its libraries require. Pure, any thread, no allocation.
//
// Each adds what it says to the context; false if it is malformed.
#pragma once

#include <string_view>

#include "exa/model/trace_context.h"

namespace exa {

// {trace id}-{span id}, then -{0, 1 or d} and -{parent's id} if they are there; or the decision
// alone, which names no trace: the context has no ids then.
bool read_b3(std::string_view value, TraceContext& context);

// Trace ids have 16 or 32 digits, those of spans 16.
bool read_b3_trace_id(std::string_view value, TraceContext& context);
bool read_b3_span_id(std::string_view value, TraceContext& context);
// 0 or 1; true or false of tracers that are older than the format.
bool read_b3_sampled(std::string_view value, TraceContext& context);
// 1 is debug, which is sampled. The others have no meaning.
bool read_b3_flags(std::string_view value, TraceContext& context);

}  // namespace exa
