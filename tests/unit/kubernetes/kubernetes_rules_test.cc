#include "agent/naming/kubernetes/kubernetes_rules.h"

#include <gtest/gtest.h>

#include "agent/naming/kubernetes/pod_reader.h"
#include "tests/unit/kubernetes/recorded.h"

namespace exa {
namespace {

Target named(const std::string& pod_name, const KubernetesRules& rules = {},
             Target target = target_of(7, "", "")) {
  const auto page = read_pod_page(recorded("pods-node-a.json"));
  const auto* const pod = pod_named(page->pods, pod_name);
  EXPECT_NE(pod, nullptr) << pod_name;
  const auto* const container = &pod->containers.front();
  return name_by_pod(rules, target, *pod, container, instance_id(*pod, container));
}

TEST(KubernetesRules, ADeploymentIsNamedByItsLabels) {
  const auto target = named("checkout-5d4675f884-v84lz");
  EXPECT_EQ(target.service_name, "checkout");
  EXPECT_EQ(attribute(target, "service.namespace"), "shop");
  EXPECT_EQ(attribute(target, "service.version"), "2.4.1");
  EXPECT_EQ(attribute(target, "service.instance.id").substr(0, 31),
            "shop.checkout-5d4675f884-v84lz.");
  EXPECT_EQ(attribute(target, "k8s.deployment.name"), "checkout");
  EXPECT_EQ(attribute(target, "k8s.replicaset.name"), "checkout-5d4675f884");
  EXPECT_EQ(attribute(target, "k8s.node.name"), "node-a");
}

TEST(KubernetesRules, AnnotationsWin) {
  const auto target = named("ledger-0");
  EXPECT_EQ(target.service_name, "ledger-service");
  EXPECT_EQ(attribute(target, "service.namespace"), "money");
  EXPECT_EQ(attribute(target, "deployment.environment.name"), "staging");
  EXPECT_EQ(attribute(target, "k8s.namespace.name"), "shop") << "the tenant is not for annotations";
  EXPECT_EQ(attribute(target, "k8s.statefulset.name"), "ledger");
  EXPECT_EQ(attribute(target, "service.version"), "7") << "from the image";
}

TEST(KubernetesRules, LabelsCanBeLeftOut) {
  EXPECT_EQ(named("checkout-5d4675f884-v84lz", {.use_labels = false}).service_name, "checkout")
      << "by the Deployment";
}

TEST(KubernetesRules, ABarePodIsNamedByItself) {
  EXPECT_EQ(named("bare").service_name, "bare");
}

TEST(KubernetesRules, WhatSomebodyChoseStays) {
  auto own = target_of(7, "", "", "checkout-api");
  own.name_chosen = true;
  EXPECT_EQ(named("ledger-0", {}, own).service_name, "checkout-api");
}

TEST(KubernetesRules, AnnotationsSetNoFacts) {
  Pod pod{.uid = "u", .name = "p", .namespace_name = "real"};
  pod.annotations = {{"k8s.namespace.name", "forged"},
                     {"container.id", "forged"},
                     {"process.pid", "1"},
                     {"team", "blue"}};
  const auto target = name_by_pod({}, target_of(7, "", ""), pod, nullptr, "i");
  EXPECT_EQ(attribute(target, "k8s.namespace.name"), "real");
  EXPECT_EQ(attribute(target, "container.id"), "");
  EXPECT_EQ(attribute(target, "process.pid"), "");
  EXPECT_EQ(attribute(target, "team"), "blue");
}

TEST(KubernetesRules, TheTenantIsWhatTheApiSays) {
  // The process says of itself whatever it likes; even what slipped into its resource is replaced.
  auto own = target_of(7, kAppId, kAppUid, "billing");
  own.name_chosen = true;
  auto resource = std::make_shared<Resource>(*own.resource);
  for (const auto* const key : {"k8s.namespace.name", "k8s.pod.name", "k8s.deployment.name"})
    resource->attributes.push_back({key, std::string("forged")});
  resource->attributes.push_back({"service.namespace", std::string("billing-team")});
  own.resource = resource;
  const auto target = named("checkout-5d4675f884-v84lz", {}, own);
  EXPECT_EQ(target.service_name, "billing");
  EXPECT_EQ(attribute(target, "service.namespace"), "billing-team") << "its own word for itself";
  EXPECT_EQ(attribute(target, "k8s.namespace.name"), "shop");
  EXPECT_EQ(attribute(target, "k8s.pod.name"), "checkout-5d4675f884-v84lz");
  EXPECT_EQ(attribute(target, "k8s.deployment.name"), "checkout");
  EXPECT_EQ(attribute(target, "container.id"), kAppId);
}

TEST(KubernetesRules, OwnersLeadToWorkloads) {
  Pod pod{.owner_kind = "Job", .owner_name = "report-29919671", .created_unix_s = 1795180263};
  EXPECT_EQ(workload_of(pod).job, "report-29919671");
  EXPECT_EQ(workload_of(pod).cron_job, "report");
  pod.owner_name = "import-20261120";
  EXPECT_EQ(workload_of(pod).cron_job, "") << "a date is no scheduled minute";
  pod.owner_kind = "ReplicaSet";
  pod.owner_name = "web-abc";
  EXPECT_EQ(workload_of(pod).deployment, "") << "no template hash, no Deployment";
  pod.labels = {{"pod-template-hash", "abc"}};
  EXPECT_EQ(workload_of(pod).deployment, "web");
  pod.owner_kind = "DaemonSet";
  EXPECT_EQ(workload_of(pod).daemon_set, "web-abc");
}

TEST(KubernetesRules, ImagesInEveryForm) {
  EXPECT_EQ(parse_image("r.example:5000/a/b:1.2").version, "1.2");
  EXPECT_EQ(parse_image("r.example:5000/a/b").name, "r.example:5000/a/b");
  EXPECT_EQ(parse_image("r.example:5000/a/b").version, "");
  EXPECT_EQ(parse_image("b@sha256:00ff").version, "sha256:00ff");
  EXPECT_EQ(parse_image("b:1@sha256:00ff").version, "1@sha256:00ff");
  EXPECT_EQ(parse_image("").name, "");
}

}  // namespace
}  // namespace exa
