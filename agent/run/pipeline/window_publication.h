// What becomes of a window after it was handed over: it is published together with the agent's
// account of itself, and added to what the verbs `status` and `explain` tell of services.
// Window thread only, owned by the pipeline process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "agent/explain/explainer.h"
#include "agent/outputs/export_chain.h"
#include "agent/request_pipeline/window_publisher.h"
#include "agent/run/pipeline/service_totals.h"
#include "agent/run/pipeline/window_loop.h"
#include "agent/telemetry/counters.h"
#include "agent/telemetry/logging.h"
#include "exa/base/result.h"
#include "exa/base/unique_fd.h"
#include "exa/export/export_counters.h"
#include "exa/model/target.h"

namespace exa {

struct Config;

class WindowPublication {
 public:
  struct Parts {
    const Config& config;
    const Counters& counters;
    const ExportCounters& export_counters;
    const ExportChain& outputs;
    OccasionalLog& occasional;
    std::shared_ptr<const Resource> agent;
    // By exa_kernel_counter.
    std::function<Result<std::vector<std::uint64_t>>()> kernel_totals;
    int memory_use = -1;     // see process_usage.h
    UniqueFd services_file;  // not valid: `status` and `explain` are told no services
    WallTime start;
  };
  WindowPublication(Parts parts, WindowPublisher publisher);

  void publish(WindowJob& job);

 private:
  Parts parts_;
  WindowPublisher publisher_;
  std::vector<std::uint64_t> kernel_totals_;  // as they were read last
  ServiceTotals services_;
  Explainer explainer_;
};

// For how long the spans of a window are waited for. Twice that, a window on its way and the last,
// must fit into the time that SIGTERM leaves.
[[nodiscard]] std::chrono::milliseconds acknowledgement_deadline(Duration window);

}  // namespace exa
