// What of the host and the network the pipeline needs under these settings.
#pragma once

#include "agent/config/config.h"
#include "agent/privilege/pipeline_reach.h"

namespace exa {

PipelineReach reach_of(const Config& config);

}  // namespace exa
