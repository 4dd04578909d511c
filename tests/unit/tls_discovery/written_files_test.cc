// Probes go with the first write to their file. The files are real, the probes are not.
#include "agent/discovery/tls/written_files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace exa {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Written : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / "written_files";
    std::filesystem::create_directories(folder_);
    fill("old code");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ / "program"; }

  void fill(const std::string& text) const { std::ofstream(path(), std::ios::trunc) << text; }

  UniqueFd opened() const { return UniqueFd(::open(path().c_str(), O_PATH | O_CLOEXEC)); }

  FileIdentity identity() const {
    struct stat now{};
    EXPECT_EQ(::stat(path().c_str(), &now), 0);
    return {.device = now.st_dev,
            .inode = now.st_ino,
            .mtime_ns = static_cast<std::uint64_t>(now.st_mtim.tv_sec) * 1'000'000'000 +
                        static_cast<std::uint64_t>(now.st_mtim.tv_nsec),
            .size_bytes = static_cast<std::uint64_t>(now.st_size)};
  }

  Result<WrittenFiles::Attachment> keep(WrittenFiles& files) {
    return files.keep(opened().get(), identity(), [this] { return probes(); });
  }

  Result<WrittenFiles::Attachment> probes() {
    ++placed_;
    return WrittenFiles::Attachment(this, [this](void*) { --placed_; });
  }

  void wait_until_gone() const {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (placed_ > 0 && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(1ms);
    EXPECT_EQ(placed_, 0);
  }

  std::filesystem::path folder_;
  std::atomic<int> placed_ = 0;
};

TEST_F(Written, AFileThatNobodyWritesToKeepsItsProbes) {
  WrittenFiles files;
  auto kept = keep(files);
  ASSERT_TRUE(kept);
  std::string text;
  std::getline(std::ifstream(path()), text);
  EXPECT_EQ(text, "old code");
  EXPECT_EQ(placed_, 1);
  EXPECT_THAT(files.take_written(), IsEmpty());
  kept->reset();
  EXPECT_EQ(placed_, 0);
}

TEST_F(Written, OneThatIsOverwrittenInPlaceLosesThem) {
  WrittenFiles files;
  const auto before = identity();
  const auto kept = keep(files);
  ASSERT_TRUE(kept);
  fill("other code");
  wait_until_gone();
  EXPECT_THAT(files.take_written(), ElementsAre(before));
  EXPECT_THAT(files.take_written(), IsEmpty()) << "told once";
}

// As cp -p leaves it.
TEST_F(Written, TheSameSizeAndTimeHideNothing) {
  for (const bool inotify : {true, false}) {
    fill("old code");
    const auto before = identity();
    WrittenFiles files{WrittenFiles::Means{.lease = false, .inotify = inotify}};
    const auto kept = keep(files);
    ASSERT_TRUE(kept);
    fill("new code");
    const auto ns = static_cast<long>(before.mtime_ns);
    const std::array<timespec, 2> times{
        {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
         {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000}}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path().c_str(), times.data(), 0), 0);
    EXPECT_EQ(identity(), before);
    wait_until_gone();
  }
}

// Not one byte of the new code may meet an old probe.
TEST_F(Written, TheWriterWaitsUntilTheyAreOut) {
  if (::getuid() != 0) GTEST_SKIP() << "leases on files of others need root";
  WrittenFiles files;
  std::atomic<bool> out = false;
  const auto kept =
      files.keep(opened().get(), identity(), [&]() -> Result<WrittenFiles::Attachment> {
        return WrittenFiles::Attachment(&out, [](std::atomic<bool>* gone) {
          std::this_thread::sleep_for(50ms);  // as the kernel takes
          *gone = true;
        });
      });
  ASSERT_TRUE(kept);
  const UniqueFd writer(::open(path().c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_TRUE(writer.valid());
  EXPECT_TRUE(out);
}

TEST_F(Written, ReadersWaitForNothing) {
  WrittenFiles files;
  const auto kept = keep(files);
  ASSERT_TRUE(kept);
  const UniqueFd reader(::open(path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_TRUE(reader.valid());
  EXPECT_EQ(placed_, 1);
}

TEST_F(Written, SoDoesOneThatIsOnlyTruncated) {
  WrittenFiles files;
  const auto kept = keep(files);
  ASSERT_TRUE(kept);
  ASSERT_EQ(::truncate(path().c_str(), 3), 0);
  wait_until_gone();
}

TEST_F(Written, ANameThatGetsAnotherFileCostsNothing) {
  WrittenFiles files;
  const auto kept = keep(files);
  ASSERT_TRUE(kept);
  const auto old = opened();  // a program runs from it
  std::ofstream(path() + ".new") << "other code";
  std::filesystem::rename(path() + ".new", path());
  std::ofstream(path(), std::ios::app) << "and more";  // the other file
  EXPECT_THAT(files.take_written(), IsEmpty());
  EXPECT_EQ(placed_, 1);
}

TEST_F(Written, WhatWasWrittenToSinceItWasReadGetsNone) {
  WrittenFiles files;
  const auto read = identity();
  fill("other code, and longer");
  const auto kept = files.keep(opened().get(), read, [this] { return probes(); });
  ASSERT_FALSE(kept);
  EXPECT_THAT(kept.error().text, HasSubstr("after it was read"));
  EXPECT_EQ(placed_, 0);
}

TEST_F(Written, AWriteWhileTheProbesArePlacedCountsToo) {
  WrittenFiles files;
  const auto kept = files.keep(opened().get(), identity(), [&] {
    fill("other code");
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (files.take_written().empty() && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(1ms);
    return probes();
  });
  ASSERT_FALSE(kept);
  EXPECT_THAT(kept.error().text, HasSubstr("being written to"));
  EXPECT_EQ(placed_, 0);
}

// A user has only so many instances of inotify.
TEST_F(Written, WithoutInotifyTheFileIsLookedAt) {
  WrittenFiles files{WrittenFiles::Means{.lease = false, .inotify = false}};
  const auto kept = keep(files);
  ASSERT_TRUE(kept);
  fill("other code");
  wait_until_gone();
  EXPECT_EQ(files.take_written().size(), 1u);
}

TEST_F(Written, TwoAttachmentsOfOneFileGoTogetherAndEndApart) {
  WrittenFiles files;
  auto first = keep(files);
  auto second = keep(files);
  ASSERT_TRUE(first && second);
  first->reset();
  EXPECT_EQ(placed_, 1);
  fill("other code");
  wait_until_gone();
}

TEST_F(Written, ProbesThatCouldNotBePlacedSayWhy) {
  WrittenFiles files;
  const auto kept =
      files.keep(opened().get(), identity(),
                 []() -> Result<WrittenFiles::Attachment> { return fail("no room"); });
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().text, "no room");
}

}  // namespace
}  // namespace exa
