// Where a process is, is what the kernel says of it: neither a mount of its own over its files in
// /proc, nor one that reaches us, nor a name in another hierarchy makes it somebody else.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "agent/discovery/container/cgroup_path.h"
#include "agent/discovery/proc_reader.h"

namespace exa {
namespace {

const std::string kId(64, 'c');
const std::string kForged = "0::/system.slice/docker-" + kId + ".scope\n";

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string cgroup_of(pid_t process) {
  const auto facts = ProcReader({}).read(static_cast<std::uint32_t>(process));
  return facts ? facts->cgroup : "gone";
}

class CgroupTruth : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "mounting needs root";
    std::ofstream(forged_) << kForged;
  }
  void TearDown() override { std::filesystem::remove(forged_); }

  // A process in a mount namespace of its own, in which the forged file lies over its own, or over
  // that of its parent. It tells whether that worked, and stays until its input ends.
  bool forge_over(const std::string& victim, const std::function<bool()>& and_then) {
    int gate[2];
    int answer[2];
    if (pipe2(gate, O_CLOEXEC) != 0 || pipe2(answer, O_CLOEXEC) != 0) return false;
    child_ = fork();
    if (child_ == 0) {
      close(gate[1]);
      const auto path = "/proc/" + victim + "/cgroup";
      char worked = unshare(CLONE_NEWNS) == 0 &&
                            mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                            mount(forged_.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
                            text_of(path) == kForged && and_then()
                        ? 'y'
                        : 'n';
      if (write(answer[1], &worked, 1) != 1) _exit(1);
      _exit(static_cast<int>(read(gate[0], &worked, 1)));
    }
    close(answer[1]);
    close(gate[0]);
    gate_ = gate[1];
    char worked = 'n';
    const bool told = read(answer[0], &worked, 1) == 1;
    close(answer[0]);
    return told && worked == 'y';
  }
  void end() const {
    close(gate_);
    waitpid(child_, nullptr, 0);
  }

  const std::string forged_ = ::testing::TempDir() + "forged_cgroup." + std::to_string(getpid());
  pid_t child_ = -1;
  int gate_ = -1;
};

TEST_F(CgroupTruth, WhatAProcessMountsForItselfIsNotWhatWeSee) {
  ASSERT_TRUE(forge_over("self", [] { return true; }));
  EXPECT_EQ(cgroup_of(child_), cgroup_of(getpid())) << "it is where its parent is";
  EXPECT_FALSE(identify_cgroup(cgroup_of(child_)).container_id == kId);
  end();
}

TEST_F(CgroupTruth, WhatIsMountedOverAFileForUsIsNotRead) {
  const auto parent = getpid();
  ASSERT_TRUE(forge_over(std::to_string(parent), [&] { return cgroup_of(parent).empty(); }))
      << "here the forged file lies over that of the parent, and nothing is read";
  EXPECT_NE(cgroup_of(parent), "") << "and there it does not";
  end();
}

TEST_F(CgroupTruth, WhatIsMountedOverAWholeProcessIsNotRead) {
  const auto parent = getpid();
  ASSERT_TRUE(forge_over("self", [&] {
    const auto folder = "/proc/" + std::to_string(parent);
    return mount("/proc/self", folder.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0 &&
           text_of(folder + "/cgroup") == kForged && cgroup_of(parent) == "gone";
  }));
  end();
}

// The path of the unified hierarchy is the kernel's rendering of the cgroup that its id names: the
// folder of that path has this id for a number.
TEST_F(CgroupTruth, ThePathNamesTheCgroupThatTheKernelCountsFor) {
  std::string root;
  std::istringstream mounts(text_of("/proc/self/mounts"));
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string source, target, type;
    if (fields >> source >> target >> type; type == "cgroup2") root = target;
  }
  if (root.empty()) GTEST_SKIP() << "no cgroup2 is mounted";
  const auto folder = root + "/exa-truth-" + std::to_string(getpid());
  ASSERT_EQ(mkdir(folder.c_str(), 0755), 0);
  struct stat made{};
  ASSERT_EQ(stat(folder.c_str(), &made), 0);
  int gate[2];
  ASSERT_EQ(pipe2(gate, O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(gate[1]);
    char end = 0;
    _exit(static_cast<int>(read(gate[0], &end, 1)));
  }
  std::ofstream(folder + "/cgroup.procs") << child << std::flush;
  const auto text = text_of("/proc/" + std::to_string(child) + "/cgroup");
  const auto at = text.find("0::");
  ASSERT_NE(at, std::string::npos);
  const auto path = text.substr(at + 3, text.find('\n', at) - at - 3);
  struct stat named{};
  EXPECT_EQ(stat((root + path).c_str(), &named), 0) << path;
  EXPECT_EQ(named.st_ino, made.st_ino);
  close(gate[1]);
  close(gate[0]);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(rmdir(folder.c_str()), 0);
}

}  // namespace
}  // namespace exa
