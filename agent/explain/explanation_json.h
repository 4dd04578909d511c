// An explanation as the verb `explain` reads it. Pure.
#pragma once

#include <string>

#include "agent/explain/explanation.h"

namespace exa {

// One JSON object; texts of observed traffic that are not UTF-8 are mended.
std::string explanation_json(const Explanation& explanation);

}  // namespace exa
