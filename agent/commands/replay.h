// Computes a recording's result again: the capture loop of a run on one thread, without root,
// without a clock.
#pragma once

#include <string>

namespace exa {

class Log;
struct Config;

// The exit code.
int replay_recording(const std::string& path, const Config& config, const Log& log);

}  // namespace exa
