// Where libcurl looks for the certificates of authorities unless it is told otherwise.
#pragma once

#include <string>
#include <vector>

namespace exa {

// A file, a folder or both, as this system's libcurl was built.
std::vector<std::string> trust_store();

}  // namespace exa
