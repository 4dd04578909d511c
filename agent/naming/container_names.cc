#include "agent/naming/container_names.h"

#include <cstddef>
#include <memory>
#include <string_view>

#include "agent/model/clean_text.h"
#include "agent/naming/image_name.h"

namespace exa {
namespace {

constexpr std::size_t kMaxNameBytes = 255;

}  // namespace

void add_container_names(Target& target, const ContainerNames& names) {
  if (names.empty()) return;
  auto resource = std::make_shared<Resource>(*target.resource);
  auto& attributes = resource->attributes;
  const auto clean = [](std::string_view text) { return clean_text(text, kMaxNameBytes); };
  set_attribute(attributes, "container.name", clean(names.name));
  set_attribute(attributes, "container.image.name", clean(parse_image(names.image).name));
  set_attribute_if_absent(attributes, "service.namespace", clean(names.compose_project));
  if (!target.name_chosen && !names.compose_service.empty()) {
    target.service_name = clean(names.compose_service);
    set_attribute(attributes, "service.name", target.service_name);
  }
  target.resource = std::move(resource);
}

}  // namespace exa
