#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "agent/discovery/target_builder.h"
#include "agent/discovery/target_finder.h"
#include "agent/model/clean_text.h"
#include "agent/naming/container_names.h"
#include "exa/base/unique_fd.h"
#include "tests/unit/discovery/read_here.h"

namespace exa {
namespace {

using namespace std::string_literals;

using test::kHost;
using test::read_here;

ProcessFacts nginx() {
  ProcessFacts facts;
  facts.process = {.tgid = 42, .start_time_ns = 1'230'000'000};
  facts.comm = "nginx";
  facts.exe_path = "/usr/sbin/nginx";
  return facts;
}

std::string attribute(const Target& target, std::string_view key) {
  const auto& attributes = target.resource->attributes;
  return has_attribute(attributes, key) ? attribute_text(attributes, key) : "absent";
}

std::string name_of(const ProcessFacts& facts, const TargetSettings& settings = {}) {
  return build_target(settings, kHost, facts).service_name;
}

TEST(ServiceName, FollowsTheOrder) {
  auto facts = nginx();
  EXPECT_EQ(name_of(facts), "nginx");
  facts.script = "app";
  EXPECT_EQ(name_of(facts), "app");
  facts.cgroup = "/system.slice/edge.service";
  EXPECT_EQ(name_of(facts), "edge");
  facts.environment.resource_attributes = "service.name=from%20attributes,x=y";
  EXPECT_EQ(name_of(facts), "from attributes");
  facts.environment.service_name = "from-environment";
  EXPECT_EQ(name_of(facts), "from-environment");
  EXPECT_EQ(name_of(facts, {.service_names = {{"*/nginx", "from-configuration"}}}),
            "from-configuration");
}

TEST(ServiceName, WithoutAnExecutableIsUnknown) {
  ProcessFacts facts;
  EXPECT_EQ(name_of(facts), "unknown_service");
  facts.comm = "worker";
  EXPECT_EQ(name_of(facts), "unknown_service:worker");
}

TEST(TargetResource, TellsTheProcessApart) {
  auto facts = nginx();
  facts.cgroup = "/docker/" + std::string(64, 'c');
  const auto target = build_target({}, kHost, facts);
  EXPECT_EQ(attribute(target, "service.name"), "nginx");
  EXPECT_EQ(attribute(target, "service.instance.id"), "web1-42-1230");
  EXPECT_EQ(attribute(target, "process.pid"), "42");
  EXPECT_EQ(attribute(target, "process.executable.name"), "nginx");
  EXPECT_EQ(attribute(target, "container.id"), std::string(64, 'c'));
  EXPECT_EQ(attribute(target, "host.name"), "web1");
  EXPECT_EQ(attribute(target, "os.type"), "linux");
  EXPECT_EQ(attribute(target, "telemetry.sdk.name"), "exemplar-agent");
  EXPECT_EQ(attribute(target, "telemetry.sdk.version"), "9.9.9");
}

TEST(TargetResource, AProcessMayAddButNotTakeOver) {
  auto facts = nginx();
  facts.environment.resource_attributes =
      "service.namespace=shop,process.pid=1,service.instance.id=same,telemetry.sdk.name=x,team=a";
  const auto target = build_target({.resource = {{"team", "b"}, {"region", "eu"}}}, kHost, facts);
  EXPECT_EQ(attribute(target, "service.namespace"), "shop");
  EXPECT_EQ(attribute(target, "process.pid"), "42");
  EXPECT_EQ(attribute(target, "service.instance.id"), "web1-42-1230");
  EXPECT_EQ(attribute(target, "telemetry.sdk.name"), "exemplar-agent");
  EXPECT_EQ(attribute(target, "team"), "a");
  EXPECT_EQ(attribute(target, "region"), "eu");
}

TEST(TargetResource, AProcessSaysNothingOfItsTenant) {
  auto facts = nginx();
  facts.cgroup = "/kubepods/pod77d4ea66-a11e-40e2-ad29-52e382f0e75e/" + std::string(64, 'c');
  facts.environment.resource_attributes =
      "k8s.namespace.name=forged,k8s.pod.name=forged,k8s.pod.uid=forged,container.id=forged,"
      "container.name=forged,service.namespace=own";
  const auto target = build_target({}, kHost, facts);
  EXPECT_EQ(attribute(target, "k8s.namespace.name"), "absent");
  EXPECT_EQ(attribute(target, "k8s.pod.name"), "absent");
  EXPECT_EQ(attribute(target, "k8s.pod.uid"), "77d4ea66-a11e-40e2-ad29-52e382f0e75e");
  EXPECT_EQ(attribute(target, "container.id"), std::string(64, 'c'));
  EXPECT_EQ(attribute(target, "container.name"), "absent");
  EXPECT_EQ(attribute(target, "service.namespace"), "own") << "a name, no tenant";
}

TEST(TargetResource, OfAContainerHasItsEnginesNames) {
  const ContainerNames names{.name = "shop-edge-1",
                             .image = "registry.example:5000/shop/edge:1.27",
                             .compose_service = "edge",
                             .compose_project = "shop"};
  auto facts = nginx();
  facts.script = "app";
  auto target = build_target({}, kHost, facts);
  add_container_names(target, names);
  EXPECT_EQ(target.service_name, "edge");
  EXPECT_EQ(attribute(target, "service.name"), "edge");
  EXPECT_FALSE(target.name_chosen);
  EXPECT_EQ(attribute(target, "service.namespace"), "shop");
  EXPECT_EQ(attribute(target, "container.name"), "shop-edge-1");
  EXPECT_EQ(attribute(target, "container.image.name"), "registry.example:5000/shop/edge");

  auto of_no_compose = build_target({}, kHost, facts);
  add_container_names(of_no_compose, {.name = "edge\x01"});
  EXPECT_EQ(of_no_compose.service_name, "app");
  EXPECT_EQ(attribute(of_no_compose, "container.name"), clean_text("edge\x01", 255));

  facts.environment.service_name = "chosen";
  facts.environment.resource_attributes = "service.namespace=own";
  auto chosen = build_target({}, kHost, facts);
  add_container_names(chosen, names);
  EXPECT_EQ(chosen.service_name, "chosen");
  EXPECT_EQ(attribute(chosen, "service.name"), "chosen");
  EXPECT_EQ(attribute(chosen, "service.namespace"), "own");

  auto of_no_engine = build_target({}, kHost, facts);
  const auto before = of_no_engine.resource;
  add_container_names(of_no_engine, {});
  EXPECT_EQ(of_no_engine.resource, before);
}

TEST(TargetResource, HostileTextIsBoundedAndPrintable) {
  auto facts = nginx();
  facts.environment.service_name = "a\nb\xff" + std::string(10'000, 'x');
  auto& attributes = facts.environment.resource_attributes;
  for (int i = 0; i < 1000; ++i)
    attributes.append("k").append(std::to_string(i)).append("=v,");
  const auto target = build_target({}, kHost, facts);
  EXPECT_EQ(target.service_name.size(), 255u);
  EXPECT_TRUE(target.service_name.starts_with("a?b?x"));
  EXPECT_LE(target.resource->attributes.size(), 64u);
}

TEST(ProcReader, ReadsThisProcess) {
  const auto facts = ProcReader(read_here).read(static_cast<std::uint32_t>(getpid()));
  ASSERT_TRUE(facts);
  EXPECT_EQ(std::filesystem::path(facts->exe_path).filename(), "unit_discovery");
  EXPECT_EQ(facts->comm, "unit_discovery");
  EXPECT_FALSE(facts->is_kernel_thread);
  // The start time is the kernel's, to the tick: not after now, and not long ago.
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const auto now_ns = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
                      static_cast<std::uint64_t>(now.tv_nsec);
  EXPECT_LE(facts->process.start_time_ns, now_ns);
  EXPECT_LT(now_ns - facts->process.start_time_ns, 600'000'000'000u);
}

TEST(ProcReader, SeesTheEnvironmentOfAChild) {
  int gate[2];
  ASSERT_EQ(pipe(gate), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(gate[1]);
    dup2(gate[0], 0);
    const char* const environment[] = {"OTEL_SERVICE_NAME=child-service", nullptr};
    execle("/bin/cat", "cat", nullptr, environment);
    _exit(127);
  }
  // The child has its program's environment a moment after its program.
  std::optional<ProcessFacts> facts;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while ((!facts || facts->environment.service_name.empty()) &&
         std::chrono::steady_clock::now() < deadline)
    facts = ProcReader(read_here).read(static_cast<std::uint32_t>(child));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->environment.service_name, "child-service");
  close(gate[0]);
  close(gate[1]);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(ProcReader(read_here).read(static_cast<std::uint32_t>(child)));
}

TEST(ProcReader, KnowsAProcessWithoutItsWords) {
  const auto nobody = [](int, std::uint32_t, const std::string&) -> std::optional<ProcessWords> {
    return std::nullopt;  // the reader was held up
  };
  const auto facts = ProcReader(nobody).read(static_cast<std::uint32_t>(getpid()));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->comm, "unit_discovery");
  EXPECT_EQ(facts->environment.service_name, "");
}

TEST(ProcReader, TellsTheUserOfAnUndumpableProcess) {
  if (geteuid() != 0) GTEST_SKIP() << "changing the user needs root";
  int gate[2];
  ASSERT_EQ(pipe(gate), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(gate[1]);
    if (setresuid(65534, 65534, 65534) != 0) _exit(1);  // no longer dumpable: its folder is root's
    char end = 0;
    _exit(static_cast<int>(read(gate[0], &end, 1)));
  }
  const UniqueFd folder(open(("/proc/" + std::to_string(child)).c_str(), O_RDONLY | O_DIRECTORY));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (owner_of(folder.get()) != 65534 && std::chrono::steady_clock::now() < deadline) {
  }
  EXPECT_EQ(owner_of(folder.get()), 65534u);
  close(gate[1]);
  close(gate[0]);
  waitpid(child, nullptr, 0);
}

class FakeProc : public ::testing::Test {
 protected:
  FakeProc() { std::filesystem::create_directories(root_ / "77"); }
  ~FakeProc() override { std::filesystem::remove_all(root_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(root_ / "77" / name, std::ios::binary) << text;
  }
  static std::string stat(std::uint64_t ticks) {
    return "77 (w) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 " + std::to_string(ticks) + " 1 1\n";
  }
  [[nodiscard]] TargetFinder finder() const {
    return TargetFinder({}, kHost, ProcReader(read_here, root_.string()));
  }
  [[nodiscard]] FoundTarget found() const { return finder().look_at(77).value(); }
  const std::filesystem::path root_ =
      std::filesystem::path(::testing::TempDir()) / ("proc-" + std::to_string(getpid()));
};

TEST_F(FakeProc, EndlessFilesAreReadToTheirBound) {
  write("stat", stat(500));
  std::filesystem::create_symlink("/srv/web", root_ / "77" / "exe");
  write("environ", std::string(kMaxEnvironBytes, 'x') + "\0OTEL_SERVICE_NAME=beyond\0"s);
  EXPECT_EQ(finder().processes(), std::vector<std::uint32_t>{77});
  EXPECT_EQ(found().target.service_name, "web");
  EXPECT_EQ(found().target.process.start_time_ns, 5'000'000'000u);
}

TEST_F(FakeProc, DeletedExecutablesKeepTheirName) {
  write("stat", stat(1));
  std::filesystem::create_symlink("/srv/web (deleted)", root_ / "77" / "exe");
  EXPECT_EQ(found().target.service_name, "web");
}

TEST_F(FakeProc, SystemdUnitsNameTheirProcesses) {
  write("stat", stat(1));
  std::filesystem::create_symlink("/usr/bin/python3.11", root_ / "77" / "exe");
  write("cmdline", "python3\0/srv/app.py\0"s);
  const auto name_under = [&](const std::string& cgroups) {
    write("cgroup", cgroups);
    return found().target.service_name;
  };
  EXPECT_EQ(name_under("0::/system.slice/edge.service\n"), "edge");
  EXPECT_EQ(name_under("0::/system.slice/system-shop.slice/shop@eu\\x2d1.service\n"), "shop@eu-1");
  EXPECT_EQ(name_under("12:cpu:/\n1:name=systemd:/system.slice/edge.service\n0::/\n"), "edge");
  EXPECT_EQ(name_under("0::/user.slice/user-1000.slice/user@1000.service/app.slice/mail.service\n"),
            "mail");
  EXPECT_EQ(name_under("0::/user.slice/user-1000.slice/session-2.scope\n"), "app")
      << "a session is no unit of anybody's choosing";
}

TEST_F(FakeProc, AProcessIsFoundWithItsContainer) {
  const std::string id(64, 'c');
  write("stat", stat(1));
  write("cgroup", "0::/system.slice/docker-" + id + ".scope\n");
  std::filesystem::create_symlink("/usr/sbin/nginx", root_ / "77" / "exe");
  const auto announced = finder()
                             .resolve({.process = {.tgid = 77, .start_time_ns = 10'000'000},
                                       .comm = "nginx",
                                       .exe_name = "nginx"})
                             .found;
  for (const auto& found : {found(), announced}) {
    EXPECT_EQ(found.cgroup.container_id, id);
    EXPECT_EQ(found.target.service_name, "nginx");
    EXPECT_EQ(attribute(found.target, "container.id"), id);
    EXPECT_EQ(attribute(found.target, "container.name"), "absent");
    EXPECT_EQ(attribute(found.target, "container.runtime.name"), "docker");
  }
}

TEST_F(FakeProc, KernelThreadsAreNoTargets) {
  write("stat", stat(1));
  EXPECT_FALSE(finder().look_at(77));
}

TEST_F(FakeProc, AnAnnouncedProcessKeepsTheKernelsIdentity) {
  write("stat", stat(500));
  std::filesystem::create_symlink("/srv/web", root_ / "77" / "exe");
  const auto [target, cgroup] =
      finder()
          .resolve({.process = {.tgid = 77, .start_time_ns = 5'003'456'789},
                    .comm = "w",
                    .exe_name = "web"})
          .found;
  EXPECT_EQ(target.process.start_time_ns, 5'003'456'789u);
  EXPECT_EQ(target.service_name, "web");
  // The same instance, whichever way it became known.
  EXPECT_EQ(attribute(target, "service.instance.id"),
            attribute(found().target, "service.instance.id"));
}

TEST_F(FakeProc, ADyingProcessIsJudgedByTheNameThatTheKernelTold) {
  write("stat", stat(500));  // its executable cannot be read any more
  TargetFinder excluding({.exclude = {.exe = {"/usr/bin/a-long-name-of-a-program"}}}, kHost,
                         ProcReader(read_here, root_.string()));
  const auto [target, cgroup] =
      excluding
          .resolve({.process = {.tgid = 77, .start_time_ns = 5'000'000'000},
                    .comm = "a-long-name-of-",
                    .exe_name = "a-long-name-of-a-program"})
          .found;
  EXPECT_FALSE(target.observed);
}

TEST_F(FakeProc, AReusedPidSaysNothingAboutTheDead) {
  write("stat", stat(900));
  std::filesystem::create_symlink("/srv/other", root_ / "77" / "exe");
  const auto [target, cgroup] =
      finder()
          .resolve({.process = {.tgid = 77, .start_time_ns = 5'003'456'789},
                    .comm = "c",
                    .exe_name = "curl"})
          .found;
  EXPECT_EQ(target.service_name, "curl");
}

TEST_F(FakeProc, AProgramThatWasExecutedSinceSaysNothingAboutTheOneBefore) {
  write("stat", stat(500));
  std::filesystem::create_symlink("/usr/bin/python3.11", root_ / "77" / "exe");
  const ProcessIdentity process{.tgid = 77, .start_time_ns = 5'003'456'789};
  const auto before = finder().resolve({.process = process, .comm = "curl", .exe_name = "curl"});
  EXPECT_FALSE(before.looked_at);
  EXPECT_EQ(before.found.target.service_name, "curl");
  const auto now =
      finder().resolve({.process = process, .comm = "python3", .exe_name = "python3.11"});
  EXPECT_TRUE(now.looked_at);
}

TEST_F(FakeProc, AVanishedProcessIsNamedByItsAnnouncement) {
  const auto [target, cgroup] =
      finder()
          .resolve(
              {.process = {.tgid = 5, .start_time_ns = 1'000}, .comm = "cur", .exe_name = "curl"})
          .found;
  EXPECT_EQ(target.service_name, "curl");
  EXPECT_EQ(attribute(target, "process.executable.name"), "curl");
  EXPECT_EQ(attribute(target, "process.pid"), "5");
}

}  // namespace
}  // namespace exa
