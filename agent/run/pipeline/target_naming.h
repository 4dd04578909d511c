// Targets on their way from the prober to the request pipeline: each gets the names that the engine
// of its container and its pod have for it, as far as there are any.
// Capture thread only, owned by the pipeline process; it owns the thread that follows pods.
#pragma once

#include <functional>
#include <memory>

#include "agent/naming/engine_reader.h"
#include "agent/run/messages/prober_line.h"
#include "agent/telemetry/counters.h"
#include "agent/telemetry/gauges.h"
#include "exa/base/time.h"

namespace exa {

struct KubernetesSettings;

class TargetNaming {
 public:
  // Given every target once, and again if its name became better.
  using Sink = std::function<void(const Target&)>;

  // Follows pods where it runs in one and settings permit. log and counters outlive it.
  TargetNaming(const KubernetesSettings& settings, Counters& counters, const Log& log, Sink sink);
  ~TargetNaming();

  void on_target(ToldTarget told, MonotonicTime now);
  // Lets go whose pod became known or who waited long enough. Cheap if nothing happened.
  void advance(MonotonicTime now);
  // At the end: nobody waits any longer.
  void release_all();
  void fill(SelfGauges& gauges, MonotonicTime now) const;

 private:
  struct Pods;

  Sink sink_;
  EngineReader engines_;
  std::unique_ptr<Pods> pods_;  // none: outside a pod, or switched off
};

}  // namespace exa
