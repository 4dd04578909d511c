// The pipeline process: capture loop on its main thread, window thread, exporters. Begins confined.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/kernel/kernel_counters.h"
#include "agent/model/siphash.h"
#include "agent/privilege/channel.h"
#include "agent/privilege/confinement.h"
#include "exa/base/result.h"
#include "exa/base/unique_fd.h"
#include "exa/model/target.h"

namespace exa {

// What the prober prepared while it had the right to.
struct PipelineInheritance {
  Config config;
  HashKey seed{};
  std::vector<int> event_ring_fds;
  kernel::KernelCounters kernel_counters;
  bool looks = false;         // the prober can look at threads
  UniqueFd record_file;       // not valid: no recording
  UniqueFd services_file;     // not valid: `status` is told no services
  UniqueFd handed_over_file;  // not valid: of connections nothing is told on
  std::shared_ptr<const Resource> agent;
};

// The exit code.
int run_pipeline(PipelineInheritance inherited, Channel channel,
                 const Result<ConfinementReport>& confinement);

}  // namespace exa
