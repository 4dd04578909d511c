#include "agent/discovery/container/cgroup_path.h"

#include <gmock/gmock.h>

#include <fstream>
#include <random>
#include <string>
#include <vector>

namespace exa {
namespace {

const std::string kId = "542973a7f06368d4ffae228ed9d2c673e6bf51bbdc0ade89d860a35ec45024ff";
const std::string kUid = "61bdd415-c1cb-416f-a2e9-0665acab86e5";
const std::string kPodPath = "/kubepods/burstable/pod" + kUid + "/" + kId;

std::string qos_text(PodQos qos) {
  switch (qos) {
    case PodQos::kUnknown:
      return "";
    case PodQos::kGuaranteed:
      return "guaranteed";
    case PodQos::kBurstable:
      return "burstable";
    case PodQos::kBestEffort:
      return "besteffort";
  }
  return "";
}

std::vector<std::string> columns_of(const std::string& line) {
  std::vector<std::string> columns;
  std::size_t begin = 0;
  for (;;) {
    const auto tab = line.find('\t', begin);
    auto column = line.substr(begin, tab == std::string::npos ? tab : tab - begin);
    columns.push_back(column == "-" ? "" : column);
    if (tab == std::string::npos) return columns;
    begin = tab + 1;
  }
}

TEST(CgroupPath, EveryLayoutOfTheCorpus) {
  std::ifstream corpus(EXA_CORPUS_DIR "/kubernetes/cgroup_paths.txt");
  std::size_t count = 0;
  for (std::string line; std::getline(corpus, line);) {
    if (line.starts_with('#')) continue;
    const auto column = columns_of(line);
    ASSERT_EQ(column.size(), 8u) << line;
    SCOPED_TRACE(column[7] + ": " + column[0]);
    const auto found = identify_cgroup(column[0]);
    EXPECT_EQ(found.container_id, column[1]);
    EXPECT_EQ(found.pod_uid, column[2]);
    EXPECT_EQ(runtime_name(found.runtime), column[3]);
    EXPECT_EQ(qos_text(found.qos), column[4]);
    EXPECT_EQ(found.systemd_unit, column[5]);
    EXPECT_EQ(found.container_name, column[6]);
    ++count;
  }
  EXPECT_GE(count, 65u);
}

// A node of kind: the agent is in a pod on it, and sees the node's own container around all.
TEST(CgroupPath, NamesBelowTheNodesOwnContainerAreTheNodes) {
  const std::string node = "/docker/" + std::string(64, 'a');
  EXPECT_EQ(node_cgroup(node + "/kubelet" + kPodPath), node);
  EXPECT_EQ(node_cgroup(node), "") << "an agent in a container of this host";
  EXPECT_EQ(node_cgroup(node + "/system.slice/x.service"), "");
  EXPECT_EQ(node_cgroup(kPodPath), "");
  EXPECT_EQ(node_cgroup("/system.slice/exemplar-agent.service"), "");

  const auto found = identify_cgroup(node + "/kubelet" + kPodPath, node);
  EXPECT_EQ(found.pod_uid, kUid);
  EXPECT_EQ(found.container_id, kId);
  EXPECT_EQ(identify_cgroup(node + "/kubelet" + kPodPath).pod_uid, "");
  EXPECT_EQ(identify_cgroup("/docker/" + std::string(64, 'b') + kPodPath, node).pod_uid, "");
}

TEST(CgroupPath, ChoosesTheUnifiedHierarchy) {
  EXPECT_EQ(choose_cgroup_path("0::" + kPodPath + "\n"), kPodPath);
}

TEST(CgroupPath, ChoosesAmongTheHierarchiesOfVersionOne) {
  EXPECT_EQ(choose_cgroup_path("11:memory:" + kPodPath + "\n4:cpu,cpuacct:" + kPodPath +
                               "\n1:name=systemd:" + kPodPath + "\n"),
            kPodPath);
}

TEST(CgroupPath, HybridWhereOnlyAControllerKnowsTheContainer) {
  EXPECT_EQ(choose_cgroup_path("5:memory:" + kPodPath +
                               "\n1:name=systemd:/system.slice/containerd.service\n"
                               "0::/system.slice/containerd.service\n"),
            kPodPath);
}

// Whoever may make cgroups in another hierarchy, or a hierarchy, may name them as he likes.
TEST(CgroupPath, NoOtherHierarchyNamesAContainerThatTheKernelsOwnDoesNot) {
  const auto chosen_with = [](const std::string& rest) {
    return choose_cgroup_path("13:memory:" + kPodPath + "\n" + rest);
  };
  EXPECT_EQ(chosen_with("0::/system.slice/shop.service\n"), "/system.slice/shop.service");
  EXPECT_EQ(chosen_with("0::/user.slice/user-1000.slice/session-3.scope\n"),
            "/user.slice/user-1000.slice/session-3.scope");
  EXPECT_EQ(chosen_with("1:name=systemd:/system.slice/shop.service\n0::/\n"),
            "/system.slice/shop.service");
  EXPECT_EQ(chosen_with("0::/../../system.slice/shop.service\n"),
            "/../../system.slice/shop.service");
  const std::string of_a_user = "/user.slice/user-1000.slice/user@1000.service/docker.service";
  EXPECT_EQ(chosen_with("0::" + of_a_user + "\n"), of_a_user);
  EXPECT_EQ(choose_cgroup_path("7:name=mine:" + kPodPath + "\n0::/\n"), "/");
  EXPECT_EQ(chosen_with("0::/\n"), kPodPath) << "where it says nothing, an engine's is believed";
  EXPECT_EQ(chosen_with("0::/../..\n"), kPodPath) << "the same from a cgroup namespace";
}

TEST(CgroupPath, HybridWhereTheUnifiedHierarchyIsEmpty) {
  EXPECT_EQ(choose_cgroup_path("1:name=systemd:/system.slice/nginx.service\n0::/\n"),
            "/system.slice/nginx.service");
}

TEST(CgroupPath, NothingToChooseFrom) {
  EXPECT_EQ(choose_cgroup_path(""), "");
  EXPECT_EQ(choose_cgroup_path("nonsense\n::\n0:\n"), "");
  EXPECT_EQ(choose_cgroup_path("0::/\n"), "/");
}

TEST(CgroupPath, EveryTruncationIsRead) {
  const std::string path = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" +
                           kUid + ".slice/cri-containerd-" + kId + ".scope";
  for (std::size_t length = 0; length <= path.size(); ++length) {
    const auto found = identify_cgroup(std::string_view(path).substr(0, length));
    EXPECT_TRUE(found.container_id.empty() || found.container_id == kId) << length;
    EXPECT_TRUE(found.pod_uid.empty() || found.pod_uid == kUid) << length;
  }
}

TEST(CgroupPath, DamagedPathsYieldWellFormedIdentitiesOnly) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string path = kPodPath;
    for (int change = 0; change < 3; ++change)
      path[random() % path.size()] = static_cast<char>(random() % 256);
    const auto found = identify_cgroup(path);
    EXPECT_TRUE(found.container_id.empty() || found.container_id.size() == 64);
    EXPECT_TRUE(found.pod_uid.empty() || found.pod_uid.size() == 36);
  }
}

}  // namespace
}  // namespace exa
