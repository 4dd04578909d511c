// Recorded answers of a real API server, and small pods.
#pragma once

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "agent/naming/kubernetes/pod.h"
#include "exa/model/target.h"

namespace exa {

inline std::string recorded(const std::string& name) {
  std::ifstream file(EXA_CORPUS_DIR "/kubernetes/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::vector<std::string> recorded_lines(const std::string& name) {
  std::stringstream text(recorded(name));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);)
    lines.push_back(line);
  return lines;
}

inline const Pod* pod_named(const std::vector<Pod>& pods, const std::string& name) {
  const auto found = std::ranges::find(pods, name, &Pod::name);
  return found == pods.end() ? nullptr : &*found;
}

inline std::string attribute(const Target& target, const std::string& key) {
  return target.resource ? attribute_text(target.resource->attributes, key) : "";
}

inline const std::string kAppId =
    "599ef3bade7b71a054c74156fea7c86062a04b6b4bee0a28037b3770c0625a32";
inline const std::string kAppUid = "77d4ea66-a11e-40e2-ad29-52e382f0e75e";

inline Target target_of(std::uint32_t tgid, const std::string& container_id,
                        const std::string& pod_uid, const std::string& name = "node") {
  Target target{
      .process = {.tgid = tgid, .start_time_ns = 1000}, .service_name = name, .resource = {}};
  auto resource = std::make_shared<Resource>();
  resource->attributes.push_back({"service.name", name});
  if (!container_id.empty()) resource->attributes.push_back({"container.id", container_id});
  if (!pod_uid.empty()) resource->attributes.push_back({"k8s.pod.uid", pod_uid});
  target.resource = resource;
  return target;
}

}  // namespace exa
