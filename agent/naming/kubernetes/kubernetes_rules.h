// Names a target by its pod, as OpenTelemetry's conventions for Kubernetes say: annotations of
// resource.opentelemetry.io/, then the well-known labels, then the owner, then the pod. What tells
// the tenant (k8s.*, container.*) comes from the API server and the cgroup path alone, never from
// annotations or the process. Pure; capture thread.
#pragma once

#include <string>

#include "agent/naming/image_name.h"
#include "agent/naming/kubernetes/pod.h"
#include "exa/model/target.h"

namespace exa {

struct KubernetesRules {
  bool use_labels = true;  // app.kubernetes.io/instance, /name, /version
};

// The workload that a pod belongs to, as far as the owner reference leads: a ReplicaSet's
// Deployment by the template hash in its name, a Job's CronJob by the scheduled minute in its name.
struct Workload {
  std::string deployment;
  std::string replica_set;
  std::string stateful_set;
  std::string daemon_set;
  std::string cron_job;
  std::string job;
};
Workload workload_of(const Pod& pod);

// namespace.pod.container, or what the annotation says. Not yet told apart by process.
std::string instance_id(const Pod& pod, const PodContainer* container);

// The target under its Kubernetes name. instance becomes service.instance.id; container may be
// null.
Target name_by_pod(const KubernetesRules& rules, const Target& target, const Pod& pod,
                   const PodContainer* container, const std::string& instance);

}  // namespace exa
