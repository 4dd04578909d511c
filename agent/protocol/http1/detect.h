// Do these bytes start an HTTP/1 message. Pure, no allocation.
#pragma once

#include <string_view>

#include "agent/protocol/detection.h"

namespace exa::http1 {

Detection detect(std::string_view bytes);

}  // namespace exa::http1
