#include "agent/discovery/container/engine_files.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "agent/naming/engine_reader.h"

namespace exa {
namespace {

namespace fs = std::filesystem;

const std::string kDockerId = [] {
  std::string id;
  for (int i = 0; i < 32; ++i)
    id += "4f";
  return id;
}();
const std::string kPodmanId = "71dbd13e469b5bacded957d2377aaed8d8ab27d7800189ca4b91eb30fa936c04";
const std::string kOtherId(64, 'c');

std::string sample(const std::string& name) {
  std::ifstream file(EXA_CORPUS_DIR "/containers/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

const ContainerNames kEdge{.name = "shop-edge-1",
                           .image = "registry.example:5000/shop/edge:1.27@sha256:" +
                                    [] {
                                      std::string digest;
                                      for (int i = 0; i < 32; ++i)
                                        digest += "0f";
                                      return digest;
                                    }(),
                           .compose_service = "edge",
                           .compose_project = "shop"};

TEST(EngineDocuments, DockersConfig) {
  EXPECT_EQ(parse_docker_config(sample("docker-config.v2.json")), kEdge);
}

TEST(EngineDocuments, PodmansContainers) {
  const auto found = parse_podman_containers(sample("podman-containers.json"));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found.at(kPodmanId).name, "web");
  EXPECT_EQ(found.at(kPodmanId).image, "localhost/shop/checkout:2.4.1");
}

TEST(EngineDocuments, TheBundleOfNerdctl) {
  const ContainerNames expected{
      .name = "shop-checkout-1", .compose_service = "checkout", .compose_project = "shop"};
  EXPECT_EQ(parse_oci_bundle(sample("oci-bundle.json")), expected);
}

TEST(EngineDocuments, AnImageWithoutANameIsNone) {
  EXPECT_EQ(parse_docker_config(R"({"Name":"/a","Config":{"Image":"sha256:00"}})").image, "");
  EXPECT_EQ(parse_docker_config(R"({"Name":"/a","Config":{"Image":")" + kOtherId + R"("}})").image,
            "");
}

TEST(EngineDocuments, TruncatedOnesNameNothing) {
  for (const auto* const name : {"docker-config.v2.json", "oci-bundle.json"}) {
    const auto whole = sample(name);
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const auto part = std::string_view(whole).substr(0, length);
      ASSERT_TRUE(parse_docker_config(part).empty() && parse_oci_bundle(part).empty()) << length;
    }
  }
}

TEST(EngineDocuments, HostileOnesAreBounded) {
  const auto long_name = parse_docker_config(R"({"Name":"/)" + std::string(100'000, 'n') + R"("})");
  EXPECT_EQ(long_name.name, std::string(kMaxEngineTextBytes, 'n'));
  EXPECT_TRUE(parse_docker_config(std::string(1u << 20, '[')).empty());
  EXPECT_TRUE(parse_podman_containers(std::string(1u << 20, '{')).empty());
  std::string many = "[";
  for (std::size_t i = 0; i < 2 * kMaxPodmanContainers; ++i)
    many.append(i != 0 ? "," : "")
        .append(R"({"id":")")
        .append(std::to_string(i))
        .append(R"(","names":["n"]})");
  EXPECT_EQ(parse_podman_containers(many + "]").size(), kMaxPodmanContainers);
  // The same keys at other places mean nothing.
  EXPECT_TRUE(parse_docker_config(R"({"Config":{"Name":"/x","Config":{"Image":"y"}},"a":[{"Name":
      "/z"}]})")
                  .empty());
  EXPECT_TRUE(parse_podman_containers(R"({"id":"x","names":["y"]})").empty());
}

class EngineFilesTest : public testing::Test {
 protected:
  EngineFilesTest() {
    root_ = (fs::temp_directory_path() / "exa_engines_XXXXXX").string();
    EXPECT_NE(mkdtemp(root_.data()), nullptr);
  }
  ~EngineFilesTest() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(root_ + path).parent_path());
    // As engines do: a new file takes the old one's place.
    std::ofstream(root_ + path + ".new") << text;
    fs::rename(root_ + path + ".new", root_ + path);
  }
  // As the two processes do: one opens, the other reads.
  ContainerNames names_of(const CgroupIdentity& cgroup) {
    const EngineFiles engines({.docker = root_ + "/docker",
                               .podman = root_ + "/podman",
                               .containerd = root_ + "/containerd"});
    const auto file = engines.file_of(cgroup);
    return file ? reader_.names_in(file->document, file->fd.get(), cgroup.container_id)
                : ContainerNames{};
  }
  static CgroupIdentity in_container(const std::string& id,
                                     ContainerRuntime runtime = ContainerRuntime::kUnknown) {
    CgroupIdentity cgroup;
    cgroup.container_id = id;
    cgroup.runtime = runtime;
    return cgroup;
  }
  std::string docker_file() const { return "/docker/containers/" + kDockerId + "/config.v2.json"; }

  std::string root_;
  EngineReader reader_;
};

TEST_F(EngineFilesTest, FindsEachEnginesNames) {
  write(docker_file(), sample("docker-config.v2.json"));
  write("/podman/overlay-containers/containers.json", sample("podman-containers.json"));
  write("/containerd/io.containerd.runtime.v2.task/moby/" + kDockerId + "/config.json", "{}");
  write("/containerd/io.containerd.runtime.v2.task/default/" + kOtherId + "/config.json",
        sample("oci-bundle.json"));
  EXPECT_EQ(names_of(identify_cgroup("/system.slice/docker-" + kDockerId + ".scope")), kEdge);
  EXPECT_EQ(names_of(identify_cgroup("/machine.slice/libpod-" + kPodmanId + ".scope")).name, "web");
  EXPECT_EQ(names_of(identify_cgroup("/system.slice/nerdctl-" + kOtherId + ".scope")).name,
            "shop-checkout-1");
  // Where the path does not tell the engine.
  EXPECT_EQ(names_of(in_container(kDockerId)), kEdge);
  EXPECT_EQ(names_of(in_container(kPodmanId)).name, "web");
  EXPECT_EQ(names_of(in_container(kOtherId)).name, "shop-checkout-1");
}

TEST_F(EngineFilesTest, APodsContainerIsNotLookedFor) {
  write(docker_file(), sample("docker-config.v2.json"));
  auto cgroup = in_container(kDockerId, ContainerRuntime::kDocker);
  cgroup.pod_uid = "77d4ea66-a11e-40e2-ad29-52e382f0e75e";
  EXPECT_TRUE(names_of(cgroup).empty());
  EXPECT_TRUE(names_of({}).empty());
}

TEST_F(EngineFilesTest, SeesRenamesAndNewContainers) {
  EXPECT_TRUE(names_of(in_container(kPodmanId)).empty());
  write("/podman/overlay-containers/containers.json", sample("podman-containers.json"));
  EXPECT_EQ(names_of(in_container(kPodmanId)).name, "web");
  write("/podman/overlay-containers/containers.json",
        R"([{"id":")" + kPodmanId + R"(","names":["shop"]}])");
  EXPECT_EQ(names_of(in_container(kPodmanId)).name, "shop");
}

TEST_F(EngineFilesTest, WhatIsNoPlainFileOfItsSizeIsNotRead) {
  write("/elsewhere", sample("docker-config.v2.json"));
  const auto path = root_ + docker_file();
  fs::create_directories(fs::path(path).parent_path());
  fs::create_symlink(root_ + "/elsewhere", path);
  EXPECT_TRUE(names_of(in_container(kDockerId)).empty()) << "a symbolic link";
  fs::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_TRUE(names_of(in_container(kDockerId)).empty()) << "a pipe";
  fs::remove(path);
  write(docker_file(), sample("docker-config.v2.json") + std::string(kMaxEngineFileBytes, ' '));
  EXPECT_TRUE(names_of(in_container(kDockerId)).empty()) << "too large";
  write(docker_file(), sample("docker-config.v2.json"));
  EXPECT_EQ(names_of(in_container(kDockerId)), kEdge);
}

}  // namespace
}  // namespace exa
