#include "agent/naming/engine_reader.h"

#include <unistd.h>

#include <cerrno>

namespace exa {
namespace {

// Up to the size that was looked at; a file that grows meanwhile is no longer that document.
std::string read_whole(int file, std::size_t size) {
  std::string text(size, '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const auto got =
        ::pread(file, text.data() + filled, text.size() - filled, static_cast<off_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return text;
}

bool same_version(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

}  // namespace

ContainerNames EngineReader::names_in(EngineDocument document, int file,
                                      const std::string& container_id) {
  struct stat version{};
  if (fstat(file, &version) != 0 || !S_ISREG(version.st_mode) || version.st_size <= 0) return {};
  const auto size = static_cast<std::size_t>(version.st_size);
  const bool list = document == EngineDocument::kPodmanContainers;
  if (size > (list ? kMaxPodmanFileBytes : kMaxEngineFileBytes)) return {};
  switch (document) {
    case EngineDocument::kDockerConfig:
      return parse_docker_config(read_whole(file, size));
    case EngineDocument::kOciBundle:
      return parse_oci_bundle(read_whole(file, size));
    case EngineDocument::kPodmanContainers: {
      if (!podman_ || !same_version(podman_->version, version))
        podman_ = {.version = version, .names = parse_podman_containers(read_whole(file, size))};
      const auto known = podman_->names.find(container_id);
      return known != podman_->names.end() ? known->second : ContainerNames{};
    }
  }
  return {};
}

}  // namespace exa
