#include "agent/discovery/container/engine_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <memory>

namespace exa {
namespace {

UniqueFd open_regular(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat found{};
  if (!fd.valid() || fstat(fd.get(), &found) != 0 || !S_ISREG(found.st_mode)) return UniqueFd();
  return fd;
}

}  // namespace

std::optional<EngineFile> EngineFiles::file_of(const CgroupIdentity& cgroup) const {
  const auto& id = cgroup.container_id;
  if (id.empty() || !cgroup.pod_uid.empty()) return std::nullopt;
  using Runtime = ContainerRuntime;
  const auto may_be = [&](Runtime runtime) {
    return cgroup.runtime == runtime || cgroup.runtime == Runtime::kUnknown;
  };
  // Those of one container first: that such a file exists tells the engine.
  if (may_be(Runtime::kDocker) && !folders_.docker.empty())
    if (auto fd = of_docker(id); fd.valid())
      return EngineFile{EngineDocument::kDockerConfig, std::move(fd)};
  if (may_be(Runtime::kContainerd) && !folders_.containerd.empty())
    if (auto fd = of_containerd(id); fd.valid())
      return EngineFile{EngineDocument::kOciBundle, std::move(fd)};
  if (may_be(Runtime::kPodman) && !folders_.podman.empty())
    if (auto fd = of_podman(); fd.valid())
      return EngineFile{EngineDocument::kPodmanContainers, std::move(fd)};
  return std::nullopt;
}

UniqueFd EngineFiles::of_docker(const std::string& id) const {
  return open_regular(folders_.docker + "/containers/" + id + "/config.v2.json");
}

UniqueFd EngineFiles::of_containerd(const std::string& id) const {
  const auto tasks = folders_.containerd + "/io.containerd.runtime.v2.task";
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(tasks.c_str()), closedir);
  if (directory == nullptr) return UniqueFd();
  std::size_t seen = 0;
  while (const auto* const entry = readdir(directory.get())) {
    const std::string name(entry->d_name);
    if (name == "." || name == "..") continue;
    if (++seen > kMaxContainerdNamespaces) break;
    if (auto fd = open_regular(tasks + "/" + name + "/" + id + "/config.json"); fd.valid())
      return fd;
  }
  return UniqueFd();
}

UniqueFd EngineFiles::of_podman() const {
  // The folder is named by the storage driver.
  for (const char* const driver : {"overlay", "vfs", "btrfs", "zfs"})
    if (auto fd = open_regular(folders_.podman + "/" + driver + "-containers/containers.json");
        fd.valid())
      return fd;
  return UniqueFd();
}

}  // namespace exa
