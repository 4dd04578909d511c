#include "exporters/openmetrics/series_name.h"

#include "exporters/openmetrics/names.h"

namespace exa {

std::string target_identity(const Resource* resource) {
  if (resource == nullptr) return {};
  const std::string space = attribute_text(resource->attributes, "service.namespace");
  const std::string name = attribute_text(resource->attributes, "service.name");
  const std::string instance = attribute_text(resource->attributes, "service.instance.id");
  Labels identity;
  if (!name.empty()) identity.emplace_back("job", space.empty() ? name : space + "/" + name);
  if (!instance.empty()) identity.emplace_back("instance", instance);
  return label_text(identity);
}

std::string joined_labels(const std::string& a, const std::string& b) {
  if (a.empty()) return b;
  return b.empty() ? a : a + "," + b;
}

std::string series_labels(const std::string& identity, const Attributes& attributes) {
  return joined_labels(identity, label_text(labels_of(attributes)));
}

std::string series_name(const std::string& family, const std::string& labels) {
  return family + "{" + labels;
}

}  // namespace exa
