#include "agent/discovery/cgroup_paths.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/discovery/container/cgroup_path.h"
#include "agent/discovery/mounts.h"
#include "agent/discovery/proc_reader.h"

namespace exa {
namespace {

namespace fs = std::filesystem;

constexpr MonotonicTime kNow{100'000'000'000};
constexpr MonotonicTime kMuchLater{900'000'000'000};

class CgroupPathsTest : public ::testing::Test {
 protected:
  CgroupPathsTest() {
    fs::create_directories(top_);
    std::ofstream(own_) << "0::/agent\n";
  }
  ~CgroupPathsTest() override { fs::remove_all(root_); }

  // Of a new cgroup: what the folder above it tells.
  [[nodiscard]] std::uint64_t make(const std::string& path) const {
    fs::create_directories(top_ / path);
    std::uint64_t id = 0;
    DIR* const listing = opendir((top_ / path).parent_path().c_str());
    if (listing == nullptr) return 0;
    while (const auto* const entry = readdir(listing))
      if (entry->d_name == fs::path(path).filename().string()) id = entry->d_ino;
    closedir(listing);
    return id;
  }
  [[nodiscard]] CgroupPaths paths(const std::string& top_path = "/") const {
    return {UniqueFd(open(top_.c_str(), O_RDONLY | O_DIRECTORY)), top_path, own_.string()};
  }
  static std::uint64_t inode(const fs::path& path) {
    struct stat status{};
    return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
  }

  const fs::path root_ = fs::path(::testing::TempDir()) / ("cgroups-" + std::to_string(getpid()));
  const fs::path top_ = root_ / "top";
  const fs::path own_ = root_ / "own";
};

TEST_F(CgroupPathsTest, FindTheFolderOfAnId) {
  const auto shop = make("system.slice/shop.service");
  const auto deep = make("a/b/c");
  auto paths = this->paths();
  EXPECT_EQ(paths.path_of(shop, kNow), "/system.slice/shop.service");
  EXPECT_EQ(paths.path_of(deep, kNow), "/a/b/c");
  EXPECT_EQ(paths.path_of(inode(top_), kNow), "/");
}

TEST_F(CgroupPathsTest, ArePathsBelowTheMountedCgroup) {
  const auto shop = make("shop");
  EXPECT_EQ(paths("/machine/agent").path_of(shop, kNow), "/machine/agent/shop");
}

TEST_F(CgroupPathsTest, WhatIsGoneOrUnknownHasNone) {
  const auto gone = make("gone");
  fs::remove(top_ / "gone");
  static_cast<void>(make("other"));
  auto paths = this->paths();
  EXPECT_EQ(paths.path_of(0, kNow), "");
  EXPECT_EQ(paths.path_of(~std::uint64_t{0}, kNow), "");
  if (inode(top_ / "other") != gone) {
    EXPECT_EQ(paths.path_of(gone, kNow), "");
  }
  EXPECT_EQ(CgroupPaths().path_of(gone, kNow), "");
}

TEST_F(CgroupPathsTest, AreListedAtMostOnceASecond) {
  auto paths = this->paths();
  EXPECT_EQ(paths.path_of(~std::uint64_t{0}, kNow), "");
  const auto made_since = make("made-since");
  EXPECT_EQ(paths.path_of(made_since, {kNow.ns + 900'000'000}), "");
  EXPECT_EQ(paths.path_of(made_since, kMuchLater), "/made-since");
}

TEST_F(CgroupPathsTest, APathOfAProcessIsKeptIfItsFolderHasThatId) {
  auto paths = this->paths();
  static_cast<void>(paths.path_of(~std::uint64_t{0}, kNow));  // no listing for a second
  static_cast<void>(make("a/job"));
  static_cast<void>(make("b"));
  const auto job = inode(top_ / "a/job");

  paths.note(job, "/b");
  paths.note(job, "/nowhere");
  paths.note(job, "/../top/a/job");
  EXPECT_EQ(paths.path_of(job, kNow), "") << "that process has moved, or lives elsewhere";
  paths.note(job, "/a/job");
  fs::remove_all(top_ / "a");
  EXPECT_EQ(paths.path_of(job, kNow), "/a/job") << "ids are never given out twice";
}

TEST_F(CgroupPathsTest, WhereAnotherHierarchyMayTellMoreNothingIsProven) {
  const auto engine = make("system.slice/docker.service");
  const auto shop = make("system.slice/shop.service");
  auto paths = this->paths();
  EXPECT_EQ(paths.path_of(engine, kNow), "/system.slice/docker.service");
  std::ofstream(own_) << "4:memory:/docker/abc\n0::/\n";
  EXPECT_EQ(paths.path_of(engine, kNow), "");
  EXPECT_EQ(paths.path_of(inode(top_), kNow), "");
  EXPECT_EQ(paths.path_of(shop, kNow), "/system.slice/shop.service");
}

TEST_F(CgroupPathsTest, AreNeverMoreThanTheirBound) {
  for (std::size_t i = 0; i < CgroupPaths::kMostPaths + 100; ++i)
    fs::create_directory(top_ / std::to_string(i));
  static_cast<void>(make("own.slice"));
  auto paths = this->paths();
  EXPECT_EQ(paths.path_of(~std::uint64_t{0}, kNow), "");
  // Of those that a listing leaves out a living process tells.
  paths.note(inode(top_ / "own.slice"), "/own.slice");
  EXPECT_EQ(paths.path_of(inode(top_ / "own.slice"), kNow), "/own.slice");
}

TEST(CgroupPathsOfThisHost, AreThoseOfProc) {
  const UniqueFd own(open("/proc/self/cgroup", O_RDONLY));
  const auto text = read_text(own.get(), kMaxProcTextBytes);
  const auto chosen = choose_cgroup_path(text);
  const auto mounts = Mounts::of_this_process();
  for (const auto& mount : mounts.all()) {
    struct stat status{};
    if (mount.file_system != "cgroup2" || mount.root != "/" ||
        stat((mount.point + chosen).c_str(), &status) != 0)
      continue;
    auto paths = CgroupPaths::of_this_host();
    EXPECT_EQ(paths.path_of(status.st_ino, kNow), chosen) << text;
    return;
  }
  GTEST_SKIP() << "this process is told apart by another hierarchy";
}

}  // namespace
}  // namespace exa
