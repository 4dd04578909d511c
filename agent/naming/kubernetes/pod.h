// What the agent keeps of a pod: names, owner, the labels and annotations that naming rules read,
// its containers. Plain values, bounded by the reader that makes them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace exa {

using TextPairs = std::vector<std::pair<std::string, std::string>>;

struct PodContainer {
  std::string name = {};
  std::string image = {};             // as the pod asks for it
  std::vector<std::string> ids = {};  // without the runtime's scheme; earlier runs too
};

struct Pod {
  std::string uid = {};
  std::string name = {};
  std::string namespace_name = {};
  std::string node_name = {};
  std::string owner_kind = {};  // of the controlling owner; empty: a bare pod
  std::string owner_name = {};
  std::int64_t created_unix_s = 0;  // 0: unknown
  TextPairs labels = {};            // only those that rules read
  TextPairs annotations = {};       // of resource.opentelemetry.io/, without that prefix
  std::vector<PodContainer> containers = {};
};

// A change, in the order in which the API server tells it. A list replaces all that came before.
struct PodUpdate {
  enum class Kind : std::uint8_t { kListBegan, kPod, kPodDeleted, kListEnded };
  Kind kind = Kind::kPod;
  Pod pod = {};
};

}  // namespace exa
