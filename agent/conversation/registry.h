// The protocols that are read, in the order in which they are tried. A protocol is its folders here
// and in protocol/, and one row of the table in registry.cc.
#pragma once

#include <span>

#include "agent/connection/conversation.h"

namespace exa {

std::span<const ProtocolRow> protocols();

}  // namespace exa
