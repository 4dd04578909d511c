// The protocols that are read, in the order in which they are tried: the more particular first, and
// HTTP/1, to which any word of capitals may be a method, last. A protocol is its folders here and
// in protocol/, and one row of the table in registry.cc.
#pragma once

#include <span>

#include "agent/connection/conversation.h"

namespace exa {

std::span<const ProtocolRow> protocols();

}  // namespace exa
