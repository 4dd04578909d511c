// The pods of this node, by uid and by the ids of their containers. A deleted pod stays findable
// for a while: its last requests may still be on their way. Capture thread only, owned by
// PodNaming. Bounded by max_pods; what finds no place is counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agent/naming/kubernetes/pod.h"
#include "agent/telemetry/counters.h"
#include "exa/base/time.h"

namespace exa {

struct PodMatch {
  const Pod* pod = nullptr;  // null: unknown. Valid until the next change of the directory
  const PodContainer* container = nullptr;
};

class PodDirectory {
 public:
  static constexpr Duration kKeepDeleted = std::chrono::minutes(2);

  PodDirectory(std::size_t max_pods, Counters& counters)
      : max_pods_(max_pods), counters_(counters) {}

  void apply(PodUpdate update, MonotonicTime now);

  // pod_uid comes from the cgroup path: where it is an API uid it decides, and the container is
  // looked for in that pod alone. A static pod's path has a hash of the kubelet's instead, by which
  // only the kubelet knows it; with the API server the container's id leads from there to the pod.
  [[nodiscard]] PodMatch find(std::string_view container_id, std::string_view pod_uid) const;

  // Drops what was deleted long ago.
  void forget_deleted(MonotonicTime now);

  [[nodiscard]] bool has(const std::string& uid) const { return pods_.contains(uid); }
  [[nodiscard]] std::size_t size() const { return pods_.size(); }

 private:
  struct Entry {
    Pod pod;
    std::uint64_t list = 0;  // the last list or watch that told it
    MonotonicTime deleted;   // unknown: it exists
  };
  void put(Pod pod);
  void drop_ids(const Pod& pod);

  std::size_t max_pods_;
  Counters& counters_;
  std::unordered_map<std::string, Entry> pods_;
  std::unordered_map<std::string, std::string> uid_of_container_;
  std::uint64_t list_ = 0;
};

}  // namespace exa
