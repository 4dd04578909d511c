// What agent/REFERENCE.md, the manual and the completion say, made of the tables in the code.
#pragma once

#include <string>

namespace exa::testing {

std::string reference_page();   // agent/REFERENCE.md
std::string manual_page();      // scripts/packaging/exemplar-agent.8
std::string bash_completion();  // scripts/packaging/exemplar-agent.bash

}  // namespace exa::testing
