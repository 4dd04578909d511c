// Which release of the agent this is.
#pragma once

#include <string>

namespace exa {

const std::string& agent_version();  // "0.1.0"

}  // namespace exa
