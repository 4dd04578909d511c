// Files that the confined pipeline reads again after they were replaced.
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "agent/privilege/landlock.h"
#include "agent/privilege/replaceable_file.h"
#include "tests/unit/privilege/confined.h"

namespace exa {
namespace {

namespace fs = std::filesystem;

// A certificate is renewed in four ways; each new file is read as the old one was.
TEST(ReplacedFiles, AreReadAgain) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  if (!landlock_version()) GTEST_SKIP() << landlock_version().error().text;
  const auto folder = fs::temp_directory_path() / ("exa_replaced_" + std::to_string(getpid()));
  const auto file = [&](const std::string& name, const std::string& text = "old") {
    fs::create_directories((folder / name).parent_path());
    std::ofstream(folder / name) << text;
  };
  fs::create_directory(folder);
  fs::permissions(folder, fs::perms(0755));
  const auto relink = [&](const std::string& target, const fs::path& link) {
    const auto next = folder / "next";
    fs::create_symlink(target, next);
    fs::rename(next, link);
  };
  file("plain/ca.pem");
  file("secret/..2026_01/ca.crt");
  relink("..2026_01", folder / "secret/..data");
  fs::create_symlink("..data/ca.crt", folder / "secret/ca.crt");
  file("archive/shop/ca1.pem");
  fs::create_directories(folder / "live/shop");
  relink("../../archive/shop/ca1.pem", folder / "live/shop/ca.pem");
  file("releases/1/ca.pem");
  relink((folder / "releases/1").string(), folder / "current");
  auto reach = usual_reach();
  for (const auto* const name :
       {"plain/ca.pem", "secret/ca.crt", "live/shop/ca.pem", "current/ca.pem"})
    reach.files.push_back(folder / name);

  int replaced[2];
  ASSERT_EQ(pipe(replaced), 0);
  auto process = start_pipeline(reach, {replaced[0]}, [&](Channel channel, const auto& report) {
    channel.send({.type = ChannelMessageType::kReady});
    char byte = 0;
    if (!report || read(replaced[0], &byte, 1) != 1) return ENOTRECOVERABLE;
    for (const auto& path : reach.files) {
      std::ifstream read_again(path);
      std::string text;
      if (!std::getline(read_again, text)) return EACCES;
      if (text != "new") return EAGAIN;
    }
    return std::ifstream(folder / "elsewhere") ? EXDEV : 0;
  });
  ASSERT_TRUE(process);
  pollfd confined{.fd = process->channel.fd(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&confined, 1, 5000), 1);
  file("elsewhere");
  file("plain/next", "new");
  fs::rename(folder / "plain/next", folder / "plain/ca.pem");
  file("secret/..2026_02/ca.crt", "new");
  relink("..2026_02", folder / "secret/..data");
  file("archive/shop/ca2.pem", "new");
  relink("../../archive/shop/ca2.pem", folder / "live/shop/ca.pem");
  file("releases/2/ca.pem", "new");
  relink((folder / "releases/2").string(), folder / "current");
  ASSERT_EQ(write(replaced[1], "", 1), 1);
  int status = 0;
  ASSERT_EQ(waitpid(process->pid, &status, 0), process->pid);
  EXPECT_EQ(outcome_of(status), "ok");
  fs::remove_all(folder);
  close(replaced[0]);
  close(replaced[1]);
}

TEST(ReplacedFiles, NeverOpenTheWholeRoot) {
  EXPECT_THAT(folders_of("/initrd.img"), testing::IsEmpty());
  EXPECT_THAT(folders_of("/usr/../etc/hosts"), testing::ElementsAre("/etc"));
  // given the distributions' own /var/run -> /run
  if (!fs::is_symlink("/var/run")) GTEST_SKIP() << "none here";
  EXPECT_THAT(folders_of("/var/run/none"), testing::ElementsAre("/run"));
}

TEST(ReplacedFiles, WhatIsMountedByItselfStays) {
  EXPECT_TRUE(stays_in_place("/proc"));
  EXPECT_FALSE(stays_in_place("/proc/version"));
  EXPECT_FALSE(stays_in_place("/none"));
}

}  // namespace
}  // namespace exa
