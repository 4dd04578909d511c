// What a cgroup path says of a process: its container, its pod, its runtime, its unit. The kubelet,
// the runtime and systemd choose the path down to where a cgroup is delegated; what lies below, the
// observed process may name as it likes: below a container, below user@UID.service, below a service
// or scope that is no engine's. Hence the outermost pod, container and unit count, nothing below a
// delegation does, and an unknown layout is unknown, never guessed. Pure; any thread; work bounded
// by the path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace exa {

enum class ContainerRuntime : std::uint8_t {
  kUnknown,
  kContainerd,
  kCrio,
  kDocker,
  kPodman,
  kLxc,
  kNspawn,
};

enum class PodQos : std::uint8_t { kUnknown, kGuaranteed, kBurstable, kBestEffort };

struct CgroupIdentity {
  std::string container_id;    // 64 hex digits
  std::string container_name;  // of LXC and systemd-nspawn, which have names instead of ids
  std::string pod_uid;         // as the API writes it, or the 32 hex digits of a static pod
  std::string systemd_unit;    // "nginx" of nginx.service; only outside containers
  ContainerRuntime runtime = ContainerRuntime::kUnknown;
  PodQos qos = PodQos::kUnknown;

  [[nodiscard]] bool in_container() const {
    return !container_id.empty() || !container_name.empty() || !pod_uid.empty();
  }
  bool operator==(const CgroupIdentity&) const = default;
};

// One path, absolute or relative to another cgroup namespace ("/../../kubepods..."). Where the node
// is itself a container, its path is `node`: names below it are the node's own.
CgroupIdentity identify_cgroup(std::string_view path, std::string_view node = {});

// The path of the container that is this node, from the agent's own path: there is one if the agent
// is in a container inside a container. Empty otherwise.
std::string_view node_cgroup(std::string_view own_path);

// The path to be identified among the hierarchies of /proc/PID/cgroup. The unified one, where the
// kernel's own cgroup of a process is, says who it is, then systemd's. In hybrid set-ups a
// container may be placed only in those of controllers: they are believed where the first two have
// nothing to say, which is in their root and in the service of an engine. Empty if there is none.
std::string choose_cgroup_path(std::string_view proc_cgroup);

// Whether a path of the unified hierarchy says who its processes are, so that choose_cgroup_path()
// looks into no other.
bool settles_identity(std::string_view unified_path);

// "containerd", as container.runtime.name says it; empty if unknown.
std::string_view runtime_name(ContainerRuntime runtime);

}  // namespace exa
