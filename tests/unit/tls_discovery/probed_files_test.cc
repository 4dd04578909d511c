#include "agent/discovery/tls/probed_files.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

using namespace std::chrono_literals;
using Room = ProbedFiles::Room;

constexpr MonotonicTime kNow{.ns = 1'000'000'000'000};

class Files : public testing::Test {
 protected:
  void add(std::uint64_t inode, std::uint32_t tgid, const std::string& account) {
    ProbedFiles::File file;
    file.attachment = std::make_shared<int>(1);
    file.payer = tgid;
    file.account = account;
    file.holders = {tgid};
    files_.add({.device = 1, .inode = inode}, std::move(file));
  }
  ProbedFiles files_;
};

TEST_F(Files, AUserOrContainerHasAShareToo) {
  for (std::uint32_t i = 0; i < ProbedFiles::kMaxOfAccount; ++i)
    add(i + 1, 100 + i, "1000");
  EXPECT_EQ(files_.room_for(99, "1000"), Room::kAccountFull);
  EXPECT_EQ(files_.room_for(99, "1001"), Room::kThere);
}

// A hundred programs that have ended must not keep the next service of their user unread.
TEST_F(Files, WhatAUsersEndedProgramsHeldMakesRoomForItsNext) {
  for (std::uint32_t i = 0; i < ProbedFiles::kMaxOfAccount; ++i)
    add(i + 1, 100 + i, "1000");
  for (std::uint32_t i = 1; i < ProbedFiles::kMaxOfAccount; ++i)
    files_.release(100 + i, {}, kNow);
  add(1000, 7, "1001");
  files_.release(7, {}, kNow);
  EXPECT_EQ(files_.room_for(99, "1000"), Room::kThere);
  EXPECT_EQ(files_.size(), 2u) << "what is in use, and what another user left";
}

TEST_F(Files, AShareIsFreeAgainOnlyWhenTheProbesAreGone) {
  for (std::uint32_t i = 0; i < ProbedFiles::kMaxOfProcess; ++i)
    add(i + 1, 7, "1000");
  EXPECT_EQ(files_.room_for(7, "1000"), Room::kProcessFull);
  files_.release(7, {}, kNow);
  EXPECT_EQ(files_.room_for(7, "1000"), Room::kProcessFull);
  EXPECT_EQ(files_.detach_unheld(kNow + ProbedFiles::kDetachAfter,
                                 [](const FileIdentity&) { return true; }),
            ProbedFiles::kMaxOfProcess);
  EXPECT_EQ(files_.room_for(7, "1000"), Room::kThere);
}

TEST_F(Files, WhoHoldsAFileStillPaysForIt) {
  add(1, 7, "1000");
  files_.find({.device = 1, .inode = 1})->holders.insert(8);
  files_.release(7, {}, kNow);
  EXPECT_EQ(files_.find({.device = 1, .inode = 1})->payer, 8u);
}

TEST_F(Files, WhatNobodyUsesMakesRoomWhereAllPlacesAreTaken) {
  for (std::uint32_t i = 0; i < ProbedFiles::kMaxFiles; ++i)
    add(i + 1, 100 + i, std::to_string(i % 8));
  EXPECT_EQ(files_.room_for(9, "new"), Room::kAllFull);
  files_.release(103, {}, kNow + 1s);
  files_.release(102, {}, kNow);
  EXPECT_EQ(files_.room_for(9, "new"), Room::kThere);
  EXPECT_EQ(files_.find({.device = 1, .inode = 3}), nullptr) << "unused for longest";
  EXPECT_NE(files_.find({.device = 1, .inode = 4}), nullptr);
}

}  // namespace
}  // namespace exa
