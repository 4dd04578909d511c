// The header value of AWS X-Ray. Pure, any thread, no allocation.
#pragma once

#include <string_view>

#include "exa/model/trace_context.h"

namespace exa {

// Root=1-{8 digits}-{24};Parent={16};Sampled={0, 1 or ?}, in any order, beside fields that others
// add. Each may be missing: a load balancer sends Root alone. False if it is malformed.
bool read_amzn_trace_id(std::string_view value, TraceContext& context);

}  // namespace exa
