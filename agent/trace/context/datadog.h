// The header values of Datadog. Pure, any thread, no allocation.
//
// Each adds what it says to the context; false if it is malformed. The lower half of a trace id is
// in one header and the upper half, which may be missing, among the tags of another one.
#pragma once

#include <string_view>

#include "exa/model/trace_context.h"

namespace exa {

// Decimal numbers of 64 bits. A parent of 0, as synthetic tests send it, is none.
bool read_datadog_trace_id(std::string_view value, TraceContext& context);
bool read_datadog_parent_id(std::string_view value, TraceContext& context);
// A number; above 0 the trace is kept.
bool read_datadog_sampling_priority(std::string_view value, TraceContext& context);
// Of "name=value,name=value" the upper half, _dd.p.tid: 16 digits in lower case.
bool read_datadog_tags(std::string_view value, TraceContext& context);

}  // namespace exa
