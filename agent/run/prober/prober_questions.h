// What the prober asks of whoever composed it, since it knows neither files of settings nor
// outputs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "exa/base/result.h"

namespace exa {

struct LoadedConfig;

struct ProberQuestions {
  std::function<Result<LoadedConfig>()> reload;  // the configuration, read anew on SIGHUP
  // One line for the start: where results go.
  std::function<std::string(std::uint16_t endpoint_port)> destinations;
};

}  // namespace exa
