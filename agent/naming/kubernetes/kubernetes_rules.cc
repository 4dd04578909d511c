#include "agent/naming/kubernetes/kubernetes_rules.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace exa {
namespace {

std::string_view value_of(const TextPairs& pairs, std::string_view key) {
  for (const auto& [name, value] : pairs)
    if (name == key) return value;
  return {};
}

template <typename... Texts>
std::string first_of(const Texts&... texts) {
  std::string found;
  ((found.empty() ? void(found = texts) : void()), ...);
  return found;
}

// "report" of "report-29919671": a CronJob names its Jobs by the scheduled minute. A number that is
// no minute near the pod's creation, as a date is, was somebody's own choice.
std::string cron_job_of(std::string_view job, std::int64_t created_unix_s) {
  const auto dash = job.rfind('-');
  if (dash == std::string_view::npos || dash == 0 || created_unix_s == 0) return {};
  std::int64_t minute = 0;
  const auto* const end = job.data() + job.size();
  const auto parsed = std::from_chars(job.data() + dash + 1, end, minute);
  if (parsed.ec != std::errc() || parsed.ptr != end || minute <= 0 || minute > INT64_MAX / 60)
    return {};
  constexpr std::int64_t kEarliest = -3600;
  constexpr std::int64_t kLatest = 7 * 24 * 3600;
  const auto delay = created_unix_s - minute * 60;
  return delay >= kEarliest && delay <= kLatest ? std::string(job.substr(0, dash)) : std::string();
}

// What an annotation may not set: who the pod is, what the process is.
bool is_fact(std::string_view key) {
  for (const std::string_view prefix :
       {"k8s.", "container.", "process.", "host.", "os.", "telemetry.", "service.instance.id"})
    if (key.starts_with(prefix)) return true;
  return false;
}

}  // namespace

Workload workload_of(const Pod& pod) {
  Workload workload;
  const auto& owner = pod.owner_name;
  if (pod.owner_kind == "ReplicaSet") {
    workload.replica_set = owner;
    std::string suffix("-");
    suffix += value_of(pod.labels, "pod-template-hash");
    if (suffix.size() > 1 && owner.size() > suffix.size() && owner.ends_with(suffix))
      workload.deployment = owner.substr(0, owner.size() - suffix.size());
  } else if (pod.owner_kind == "StatefulSet") {
    workload.stateful_set = owner;
  } else if (pod.owner_kind == "DaemonSet") {
    workload.daemon_set = owner;
  } else if (pod.owner_kind == "Job") {
    workload.job = owner;
    workload.cron_job = cron_job_of(owner, pod.created_unix_s);
  }
  return workload;
}

std::string instance_id(const Pod& pod, const PodContainer* container) {
  if (const auto told = value_of(pod.annotations, "service.instance.id"); !told.empty())
    return std::string(told);
  auto id = pod.namespace_name + "." + pod.name;
  if (container != nullptr) id += "." + container->name;
  return id;
}

Target name_by_pod(const KubernetesRules& rules, const Target& target, const Pod& pod,
                   const PodContainer* container, const std::string& instance) {
  const auto workload = workload_of(pod);
  const auto image = container != nullptr ? parse_image(container->image) : ImageName{};
  const auto label = [&](std::string_view key) {
    return rules.use_labels ? value_of(pod.labels, key) : std::string_view();
  };
  const auto annotation = [&](std::string_view key) { return value_of(pod.annotations, key); };

  Target named = target;
  if (!target.name_chosen) {
    const auto name = first_of(annotation("service.name"), label("app.kubernetes.io/instance"),
                               label("app.kubernetes.io/name"), workload.deployment,
                               workload.replica_set, workload.stateful_set, workload.daemon_set,
                               workload.cron_job, workload.job, pod.name);
    if (!name.empty()) named.service_name = name;
  }
  auto resource = std::make_shared<Resource>();
  if (target.resource) resource->attributes = target.resource->attributes;
  auto& attributes = resource->attributes;
  const auto set = [&](std::string_view key, std::string_view text) {
    set_attribute(attributes, key, text);
  };
  set("service.name", named.service_name);
  set("service.instance.id", instance);
  set_attribute_if_absent(attributes, "service.namespace",
                          first_of(annotation("service.namespace"), pod.namespace_name));
  set_attribute_if_absent(
      attributes, "service.version",
      first_of(annotation("service.version"), label("app.kubernetes.io/version"), image.version));
  set("k8s.namespace.name", pod.namespace_name);
  set("k8s.pod.name", pod.name);
  set("k8s.pod.uid", pod.uid);
  set("k8s.node.name", pod.node_name);
  if (container != nullptr) set("k8s.container.name", container->name);
  set("k8s.deployment.name", workload.deployment);
  set("k8s.replicaset.name", workload.replica_set);
  set("k8s.statefulset.name", workload.stateful_set);
  set("k8s.daemonset.name", workload.daemon_set);
  set("k8s.cronjob.name", workload.cron_job);
  set("k8s.job.name", workload.job);
  set("container.image.name", image.name);
  for (const auto& [key, value] : pod.annotations)
    if (!is_fact(key)) set_attribute_if_absent(attributes, key, value);
  named.resource = std::move(resource);
  return named;
}

}  // namespace exa
