// Files of container engines that are none: whatever is read is within its bounds.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/naming/engine_documents.h"
#include "agent/naming/image_name.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const exa::ContainerNames& names) {
  for (const auto* text :
       {&names.name, &names.image, &names.compose_service, &names.compose_project})
    require(text->size() <= exa::kMaxEngineTextBytes);
  require(exa::parse_image(names.image).name.size() <= names.image.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  check(exa::parse_docker_config(text));
  check(exa::parse_oci_bundle(text));
  const auto containers = exa::parse_podman_containers(text);
  require(containers.size() <= exa::kMaxPodmanContainers);
  for (const auto& [id, names] : containers) {
    require(id.size() <= exa::kMaxEngineTextBytes);
    check(names);
  }
  return 0;
}
