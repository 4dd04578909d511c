// What the engines of containers write down of a container: Docker's config.v2.json, Podman's
// containers.json, the OCI bundle that nerdctl hands to containerd. Texts in them were chosen by
// whoever started the container: depth, size and number of what is kept are bounded. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace exa {

inline constexpr std::size_t kMaxEngineTextBytes = 255;
inline constexpr std::size_t kMaxPodmanContainers = 4096;  // further ones have no names

struct ContainerNames {
  std::string name = {};
  std::string image = {};            // as it was asked for; empty if that was an id
  std::string compose_service = {};  // of Docker's, Podman's or nerdctl's compose
  std::string compose_project = {};
  [[nodiscard]] bool empty() const {
    return name.empty() && image.empty() && compose_service.empty();
  }
  bool operator==(const ContainerNames&) const = default;
};

// Empty names: it is not that document.
ContainerNames parse_docker_config(std::string_view json);
ContainerNames parse_oci_bundle(std::string_view json);

using NamesById = std::unordered_map<std::string, ContainerNames>;
NamesById parse_podman_containers(std::string_view json);

}  // namespace exa
