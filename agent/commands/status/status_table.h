// The file that the prober writes for the verb `status`, as a table for a terminal. Pure. The
// file's writer is trusted, the names in it are not: they come from observed processes.
#pragma once

#include <string>
#include <string_view>

#include "exa/base/result.h"

namespace exa {

// Fails on what is no such file, whatever it is instead.
Result<std::string> status_table(std::string_view json);

}  // namespace exa
