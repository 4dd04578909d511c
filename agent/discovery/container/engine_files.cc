#include "agent/discovery/container/engine_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "exa/base/unique_fd.h"

namespace exa {
namespace {

struct OpenFile {
  UniqueFd fd;
  struct stat version{};
};

// Only a regular file of a size that fits.
std::optional<OpenFile> open_regular(const std::string& path, std::size_t limit) {
  OpenFile file{.fd = UniqueFd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC))};
  if (!file.fd.valid() || fstat(file.fd.get(), &file.version) != 0) return std::nullopt;
  if (!S_ISREG(file.version.st_mode) || file.version.st_size <= 0) return std::nullopt;
  if (static_cast<std::uint64_t>(file.version.st_size) > limit) return std::nullopt;
  return file;
}

// Up to the size that was looked at; a file that grows meanwhile is no longer that document.
std::string read_whole(const OpenFile& file) {
  std::string text(static_cast<std::size_t>(file.version.st_size), '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = ::read(file.fd.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

bool same_version(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

}  // namespace

ContainerNames EngineFiles::names_of(const CgroupIdentity& cgroup) {
  const auto& id = cgroup.container_id;
  if (id.empty() || !cgroup.pod_uid.empty()) return {};
  using Runtime = ContainerRuntime;
  const bool unknown = cgroup.runtime == Runtime::kUnknown;
  ContainerNames names;
  if (unknown || cgroup.runtime == Runtime::kDocker) names = from_docker(id);
  if (names.empty() && (unknown || cgroup.runtime == Runtime::kPodman)) names = from_podman(id);
  if (names.empty() && (unknown || cgroup.runtime == Runtime::kContainerd))
    names = from_containerd(id);
  return names;
}

ContainerNames EngineFiles::from_docker(const std::string& id) const {
  const auto file =
      open_regular(folders_.docker + "/containers/" + id + "/config.v2.json", kMaxEngineFileBytes);
  return file ? parse_docker_config(read_whole(*file)) : ContainerNames{};
}

ContainerNames EngineFiles::from_podman(const std::string& id) {
  // The folder is named by the storage driver.
  for (const char* const driver : {"overlay", "vfs", "btrfs", "zfs"}) {
    const auto file = open_regular(folders_.podman + "/" + driver + "-containers/containers.json",
                                   kMaxPodmanFileBytes);
    if (!file) continue;
    if (!podman_ || !same_version(podman_->version, file->version))
      podman_ = {.version = file->version, .names = parse_podman_containers(read_whole(*file))};
    const auto known = podman_->names.find(id);
    return known != podman_->names.end() ? known->second : ContainerNames{};
  }
  return {};
}

ContainerNames EngineFiles::from_containerd(const std::string& id) const {
  const auto tasks = folders_.containerd + "/io.containerd.runtime.v2.task";
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(tasks.c_str()), closedir);
  if (directory == nullptr) return {};
  std::size_t seen = 0;
  while (const auto* const entry = readdir(directory.get())) {
    const std::string name(entry->d_name);
    if (name == "." || name == "..") continue;
    if (++seen > kMaxContainerdNamespaces) break;
    const auto file =
        open_regular(tasks + "/" + name + "/" + id + "/config.json", kMaxEngineFileBytes);
    if (!file) continue;
    return parse_oci_bundle(read_whole(*file));
  }
  return {};
}

}  // namespace exa
