// The names of a container outside Kubernetes, from the files of its engine: no socket is opened,
// no engine asked. Prober thread, owned by TargetFinder. Reads one regular file a question, 1 MiB
// at most (Podman's list of all containers: 8 MiB, parsed anew only when it changed); a larger file
// gives no names.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <string>

#include "agent/discovery/container/cgroup_path.h"
#include "agent/discovery/container/engine_documents.h"

namespace exa {

inline constexpr std::size_t kMaxEngineFileBytes = 1u << 20;
inline constexpr std::size_t kMaxPodmanFileBytes = 8u << 20;
inline constexpr std::size_t kMaxContainerdNamespaces = 16;

struct EngineFolders {
  std::string docker = "/var/lib/docker";
  std::string podman = "/var/lib/containers/storage";
  std::string containerd = "/run/containerd";
  bool operator==(const EngineFolders&) const = default;
};

class EngineFiles {
 public:
  explicit EngineFiles(EngineFolders folders) : folders_(std::move(folders)) {}

  // Empty for what lives in a pod, has no id, or is not found.
  ContainerNames names_of(const CgroupIdentity& cgroup);

 private:
  [[nodiscard]] ContainerNames from_docker(const std::string& id) const;
  ContainerNames from_podman(const std::string& id);
  [[nodiscard]] ContainerNames from_containerd(const std::string& id) const;

  EngineFolders folders_;
  struct PodmanList {
    struct stat version{};
    NamesById names;
  };
  std::optional<PodmanList> podman_;
};

}  // namespace exa
