// The explanation that the running agent tells, for people and for programs. Pure. Names and paths
// come from observed traffic; nothing in them may reach a terminal as it is.
#pragma once

#include <string>
#include <string_view>

#include "exa/base/result.h"
#include "exa/base/time.h"

namespace exa {

// windows: as the pipeline wrote it. An error where no window has closed yet, or where it is not of
// the form that this version writes.
Result<std::string> explanation_text(std::string_view windows, WallTime now);
Result<std::string> explanation_as_json(std::string_view windows);

}  // namespace exa
