// The signals that somebody sends to the agent, as something to read in its loop.
#pragma once

#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

namespace exa {

// SIGTERM, SIGINT and SIGHUP become readable here and nowhere else; before any thread or child.
Result<UniqueFd> block_and_watch_signals();

}  // namespace exa
