// Answers of an API server that is none: whatever is read is within its bounds.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/naming/kubernetes/kubernetes_rules.h"
#include "agent/naming/kubernetes/pod_reader.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const exa::Pod& pod) {
  require(pod.uid.size() <= exa::kMaxPodTextBytes && pod.name.size() <= exa::kMaxPodTextBytes);
  require(pod.labels.size() <= 4 && pod.annotations.size() <= exa::kMaxAnnotationsPerPod);
  require(pod.containers.size() <= exa::kMaxContainersPerPod);
  const exa::PodContainer* last = nullptr;
  for (const auto& container : pod.containers) {
    require(container.ids.size() <= exa::kMaxIdsPerContainer);
    last = &container;
  }
  const auto named = exa::name_by_pod({}, exa::Target{}, pod, last, exa::instance_id(pod, last));
  require(named.resource != nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (const auto page = exa::read_pod_page(text)) {
    require(page->pods.size() <= exa::kMaxPodsPerPage);
    for (const auto& pod : page->pods)
      check(pod);
  }
  if (const auto event = exa::read_watch_event(text)) check(event->pod);
  exa::read_status(text);
  return 0;
}
