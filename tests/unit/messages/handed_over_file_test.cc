#include "agent/run/messages/handed_over_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "agent/config/config.h"

namespace exa {
namespace {

class HandedOverFile : public ::testing::Test {
 protected:
  HandedOverFile() { config_.lock_path = folder_ + "/lock"; }
  ~HandedOverFile() override {
    ::unlink(handed_over_path(config_).c_str());
    ::rmdir(folder_.c_str());
  }

  std::string folder_ = [] {
    std::string pattern = ::testing::TempDir() + "handed_over_XXXXXX";
    return std::string(::mkdtemp(pattern.data()));
  }();
  Config config_;
};

TEST_F(HandedOverFile, ServesOneAgent) {
  const std::string text("what\0ever", 9);
  {
    const auto file = open_handed_over_file(config_);
    ASSERT_TRUE(file);
    EXPECT_EQ(take_handed_over(file->get()), "") << "nobody was before";
    EXPECT_TRUE(leave_handed_over(file->get(), text));
  }
  struct stat status{};
  ASSERT_EQ(::stat(handed_over_path(config_).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const auto file = open_handed_over_file(config_);
  ASSERT_TRUE(file);
  EXPECT_EQ(take_handed_over(file->get()), text);
  EXPECT_EQ(take_handed_over(file->get()), "");
}

TEST_F(HandedOverFile, HasAllOrNothing) {
  const auto file = open_handed_over_file(config_);
  ASSERT_TRUE(file);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit few{.rlim_cur = 1'000, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &few), 0);
  const auto left = leave_handed_over(file->get(), std::string(2'000, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(left);
  EXPECT_NE(left.error().text.find("cannot be handed to the next agent"), std::string::npos);
  EXPECT_EQ(take_handed_over(file->get()), "");
}

TEST_F(HandedOverFile, ADamagedOneIsNone) {
  const auto file = open_handed_over_file(config_);
  ASSERT_TRUE(file);
  ASSERT_TRUE(leave_handed_over(file->get(), "text"));
  ASSERT_EQ(::pwrite(file->get(), "T", 1, 4), 1);
  EXPECT_EQ(take_handed_over(file->get()), "");
}

TEST_F(HandedOverFile, WhatOthersMayWriteToIsReplaced) {
  const auto path = handed_over_path(config_);
  const auto other = folder_ + "/other";
  const auto leave_one = [&] {
    const auto file = open_handed_over_file(config_);
    ASSERT_TRUE(file && leave_handed_over(file->get(), "text"));
  };
  leave_one();
  ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
  EXPECT_EQ(take_handed_over(open_handed_over_file(config_)->get()), "");
  leave_one();
  ASSERT_EQ(::link(path.c_str(), other.c_str()), 0);
  EXPECT_EQ(take_handed_over(open_handed_over_file(config_)->get()), "");
  struct stat status{};
  ASSERT_EQ(::stat(other.c_str(), &status), 0);
  EXPECT_GT(status.st_size, 0) << "untouched";
  ::unlink(other.c_str());
}

TEST_F(HandedOverFile, IsNoneWhereItCannotBeMade) {
  config_.lock_path = folder_ + "/absent/lock";
  const auto file = open_handed_over_file(config_);
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().text.find("will not be handed to the next agent"), std::string::npos);
}

}  // namespace
}  // namespace exa
