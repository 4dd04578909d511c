// Between the prober's targets and the request pipeline: a target that lives in a pod goes on under
// the pod's name. Until the pod is known it waits, and its exchanges with it in the pipeline's own
// hold; after max_wait it goes on with what is known, and once more when its pod turns up.
// Capture thread only, owned by the pipeline's loop. Bounded by max_waiting and max_pods.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/naming/kubernetes/kubernetes_rules.h"
#include "agent/naming/kubernetes/pod_directory.h"
#include "agent/telemetry/counters.h"
#include "exa/base/bounded_queue.h"
#include "exa/base/time.h"
#include "exa/model/target.h"

namespace exa {

using PodUpdates = BoundedQueue<PodUpdate>;

struct PodNamingOptions {
  KubernetesRules rules = {};
  Duration max_wait = std::chrono::milliseconds(800);  // under the pipeline's hold
  std::size_t max_waiting = 4096;
  std::size_t max_pods = 2048;
};

class PodNaming {
 public:
  // Given every target once, and again if its name became better.
  using Sink = std::function<void(const Target&)>;

  PodNaming(const PodNamingOptions& options, PodUpdates& updates, Counters& counters, Sink sink);

  void on_target(const Target& target, MonotonicTime now);
  // Applies what the watch told, lets go who waited long enough. Cheap if nothing happened.
  void advance(MonotonicTime now);
  // At the end: nobody waits any longer.
  void release_all();

  [[nodiscard]] const PodDirectory& directory() const { return directory_; }
  // Somebody waits for a pod, and not yet in vain.
  [[nodiscard]] bool awaits_pods() const;
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    Target target;
    std::string container_id;
    std::string pod_uid;
    MonotonicTime until;      // then let go
    MonotonicTime forget_at;  // then no longer looked for
    bool let_go = false;
  };
  enum class Naming : std::uint8_t { kUnknown, kPodOnly, kWhole };

  Naming name(const Waiting& waiting, Target& named);
  bool settle(Waiting& waiting, MonotonicTime now);
  void let_go(Waiting& waiting);
  std::string unique_instance(const Pod& pod, const PodContainer* container,
                              const ProcessIdentity& process);

  PodNamingOptions options_;
  PodUpdates& updates_;
  Counters& counters_;
  Sink sink_;
  PodDirectory directory_;
  std::vector<Waiting> waiting_;
  struct Claim {
    ProcessIdentity process;
    std::string pod_uid;
  };
  std::unordered_map<std::string, Claim> instances_;  // which process has a service.instance.id
  MonotonicTime next_purge_;
};

}  // namespace exa
