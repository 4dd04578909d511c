// What the configuration says of the request pipeline and of what is published: the same from a run
// and from its replay.
#pragma once

#include <memory>

#include "agent/model/siphash.h"

namespace exa {

struct Config;
struct PublisherOptions;
struct RequestPipelineOptions;
struct Resource;

RequestPipelineOptions pipeline_options(const Config& config, const HashKey& seed);
// agent: whose metrics those are that are of all services.
PublisherOptions publisher_options(const Config& config, std::shared_ptr<const Resource> agent);

}  // namespace exa
