#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/discovery/target_finder.h"
#include "exa/base/unique_fd.h"
#include "tests/unit/discovery/read_here.h"

namespace exa {
namespace {

using namespace std::string_literals;

using test::kHost;
using test::read_here;

class EndedProcess : public ::testing::Test {
 protected:
  EndedProcess() {
    std::filesystem::create_directories(root_ / "77");
    write("stat", stat(500));
    std::filesystem::create_symlink("/usr/bin/python3.11", root_ / "77" / "exe");
    write("cmdline", "python3\0/srv/orders_api.py\0"s);
  }
  ~EndedProcess() override { std::filesystem::remove_all(root_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(root_ / "77" / name, std::ios::binary) << text;
  }
  static std::string stat(std::uint64_t ticks, int flags = 0) {
    return "77 (w) S 1 1 1 0 -1 " + std::to_string(flags) + " 0 0 0 0 0 0 0 0 20 0 1 0 " +
           std::to_string(ticks) + " 1 1\n";
  }
  [[nodiscard]] TargetFinder finder() const {
    return TargetFinder({}, kHost, ProcReader(read_here, root_.string()));
  }
  // A child of process 77 that has ended.
  [[nodiscard]] static ProcessAnnouncement child() {
    return {.process = {.tgid = 78, .start_time_ns = 6'000'000'000},
            .comm = "python3",
            .exe_name = "python3.11",
            .parent_tgid = 77,
            .forked = true};
  }
  [[nodiscard]] std::string name_of(const ProcessAnnouncement& announced) const {
    return finder().resolve(announced).found.target.service_name;
  }
  const std::filesystem::path root_ =
      std::filesystem::path(::testing::TempDir()) / ("ended-" + std::to_string(getpid()));
};

TEST_F(EndedProcess, ACopyOfItsParentHasItsName) {
  EXPECT_EQ(name_of(child()), "orders_api");
  write("environ", "OTEL_SERVICE_NAME=orders\0"s);
  EXPECT_EQ(name_of(child()), "orders");
}

TEST_F(EndedProcess, ACopyThatEndsWhileItIsLookedAtHasItsParentsName) {
  std::filesystem::create_directories(root_ / "78");
  std::ofstream(root_ / "78" / "stat") << stat(600);
  std::filesystem::create_symlink("/usr/bin/python3.11", root_ / "78" / "exe");
  EXPECT_EQ(name_of(child()), "orders_api");
}

TEST_F(EndedProcess, ACopyThatHasExecutedTheSameInterpreterSinceIsNamedAsItWas) {
  std::filesystem::create_directories(root_ / "78");
  std::filesystem::create_symlink("/usr/bin/python3.11", root_ / "78" / "exe");
  std::ofstream(root_ / "78" / "cmdline", std::ios::binary) << "python3\0/srv/worker.py\0"s;
  std::ofstream(root_ / "78" / "stat") << stat(600);
  EXPECT_EQ(name_of(child()), "orders_api");
  EXPECT_FALSE(finder().resolve(child()).looked_at);
  std::ofstream(root_ / "78" / "stat") << stat(600, 0x40);
  EXPECT_EQ(name_of(child()), "worker") << "it has set its title";
  EXPECT_TRUE(finder().resolve(child()).looked_at);
}

TEST_F(EndedProcess, WhatIsNoCopyHasItsOwn) {
  auto executed = child();
  executed.forked = false;
  EXPECT_EQ(name_of(executed), "python3.11");
  auto of_another_program = child();
  of_another_program.exe_name = "python3.12";
  EXPECT_EQ(name_of(of_another_program), "python3.12");
  auto older = child();
  older.process.start_time_ns = 4'000'000'000;
  EXPECT_EQ(name_of(older), "python3.11") << "its parent's number belongs to somebody else";
  auto of_nobody = child();
  of_nobody.parent_tgid = 0;
  EXPECT_EQ(name_of(of_nobody), "python3.11");
}

TEST_F(EndedProcess, AVanishedProcessIsJudgedByItsCgroupsId) {
  const auto top = root_ / "cgroups";
  std::filesystem::create_directories(top / "in");
  std::filesystem::create_directories(top / "out");
  const UniqueFd in(open((top / "in").c_str(), O_RDONLY | O_DIRECTORY));
  struct stat status{};
  ASSERT_EQ(fstat(in.get(), &status), 0);
  CgroupPaths cgroups(UniqueFd(open(top.c_str(), O_RDONLY | O_DIRECTORY)), "/");
  cgroups.note(status.st_ino, "/in");
  const ProcessAnnouncement announced{.process = {.tgid = 5, .start_time_ns = 1'000},
                                      .comm = "curl",
                                      .exe_name = "curl",
                                      .cgroup_id = status.st_ino};
  TargetFinder finder({.include = {.cgroup = {"/in"}}}, kHost,
                      ProcReader(read_here, root_.string()), std::move(cgroups));
  EXPECT_TRUE(finder.resolve(announced).found.target.observed);
  finder.set_settings({.exclude = {.cgroup = {"/out"}}});
  EXPECT_TRUE(finder.resolve(announced).found.target.observed);
  finder.set_settings({.exclude = {.cgroup = {"/in"}}});
  const auto excluded = finder.resolve(announced).found.target;
  EXPECT_FALSE(excluded.observed || excluded.undecided);
  auto of_unknown = announced;
  of_unknown.cgroup_id = ~std::uint64_t{0};
  EXPECT_TRUE(finder.resolve(of_unknown).found.target.undecided);
}

}  // namespace
}  // namespace exa
