// What the configuration says of the request pipeline: the same from a run and from its replay.
#pragma once

#include "agent/model/siphash.h"

namespace exa {

struct Config;
struct RequestPipelineOptions;

RequestPipelineOptions pipeline_options(const Config& config, const HashKey& seed);

}  // namespace exa
