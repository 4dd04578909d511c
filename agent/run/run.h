// The verb `run`: takes the lock, prepares what needs rights, forks the pipeline, gives the rights
// up, and is the prober from then on.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "exa/base/result.h"

namespace exa {

struct Config;
struct LoadedConfig;

// The exit code, where the start fails; from the start on the process ends in here.
int run_agent(const Config& config, const std::vector<std::string>& warnings,
              std::function<Result<LoadedConfig>()> reload);

}  // namespace exa
