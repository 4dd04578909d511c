// Computes a recording's result again: the pipeline of production on one thread, without root,
// without a clock.
#pragma once

#include <string>

#include "agent/config/config.h"
#include "agent/telemetry/logging.h"

namespace exa {

// The exit code.
int replay_recording(const std::string& path, const Config& config, const Log& log);

}  // namespace exa
