// The file beside the lock in which the pipeline of an agent that ends leaves a text for that of
// the next one. For root's eyes only; opened before the pipeline gives up its rights.
#pragma once

#include <string>
#include <string_view>

#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

namespace exa {

struct Config;

std::string handed_over_path(const Config& config);

// What stands in its place and is not ours alone (another owner, others may write, a link) is not
// followed or believed: it is removed.
Result<UniqueFd> open_handed_over_file(const Config& config);

// What stands in it, which is gone then: a text serves one agent. Empty: nothing, or nothing
// legible.
std::string take_handed_over(int file);

// All of it, or none where there is no room for it.
Result<> leave_handed_over(int file, std::string_view text);

}  // namespace exa
