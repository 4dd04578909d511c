// Where the engine of a container writes down what it is called: the one file is found and opened
// here, with privilege, and not read. No socket is opened, no engine asked.
// Prober thread, owned by the prober.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "agent/discovery/container/cgroup_path.h"
#include "agent/model/engine_document.h"
#include "exa/base/unique_fd.h"

namespace exa {

inline constexpr std::size_t kMaxContainerdNamespaces = 16;

// One that is empty is not looked into.
struct EngineFolders {
  std::string docker = "/var/lib/docker";
  std::string podman = "/var/lib/containers/storage";
  std::string containerd = "/run/containerd";
  bool operator==(const EngineFolders&) const = default;
};

struct EngineFile {
  EngineDocument document;
  UniqueFd fd;  // of a regular file, for reading
};

class EngineFiles {
 public:
  explicit EngineFiles(EngineFolders folders) : folders_(std::move(folders)) {}

  // None for what lives in a pod or has no id. Podman's file is of all its containers: whether this
  // one is among them only the text tells.
  [[nodiscard]] std::optional<EngineFile> file_of(const CgroupIdentity& cgroup) const;

 private:
  [[nodiscard]] UniqueFd of_docker(const std::string& id) const;
  [[nodiscard]] UniqueFd of_containerd(const std::string& id) const;
  [[nodiscard]] UniqueFd of_podman() const;

  EngineFolders folders_;
};

}  // namespace exa
