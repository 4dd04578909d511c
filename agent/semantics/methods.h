// What the methods of requests are called, in every convention that has them. Pure.
#pragma once

#include <string_view>

#include "exa/model/exchange.h"

namespace exa {

std::string_view method_text(Method method);  // "GET", "_OTHER"

}  // namespace exa
