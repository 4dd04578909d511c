// The header value of Jaeger, as its clients wrote it before OpenTelemetry's. Pure, any thread, no
// allocation.
#pragma once

#include <string_view>

#include "exa/model/trace_context.h"

namespace exa {

// {trace id}:{span id}:{parent's id}:{flags}, hexadecimal in either case, with zeros on the left
// left out or not. A colon may be percent-encoded, as some clients encode the whole value. False if
// it is malformed.
bool read_uber_trace_id(std::string_view value, TraceContext& context);

}  // namespace exa
