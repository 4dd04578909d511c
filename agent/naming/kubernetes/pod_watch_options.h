// Where the pods of this node are asked for, and how patiently. Pure.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "agent/config/config.h"
#include "agent/naming/kubernetes/api_client.h"
#include "exa/base/result.h"

namespace exa {

struct PodWatchOptions {
  ApiEndpoint endpoint;
  std::string node_name;
  PodSource source = PodSource::kApiServer;
  std::size_t page_limit = 50;
  std::chrono::seconds request_limit{30};
  std::chrono::seconds watch_limit{300};
  std::chrono::milliseconds shortest_pause{500};
  std::chrono::milliseconds longest_pause{30'000};
  // The kubelet is asked at least and at most so often; between the two when a name is wanted.
  std::chrono::milliseconds kubelet_interval{10'000};
  std::chrono::milliseconds kubelet_shortest_interval{250};
};

inline constexpr const char* kServiceAccountFolder =
    "/var/run/secrets/kubernetes.io/serviceaccount";

// From the variables that the kubelet sets in every pod, from NODE_NAME and, for the kubelet,
// NODE_IP; an error where they are not.
Result<PodWatchOptions> pod_watch_options(
    const KubernetesSettings& settings, const std::function<const char*(const char*)>& environment,
    const std::string& account_folder = kServiceAccountFolder);

}  // namespace exa
