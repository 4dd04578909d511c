// Which files get probes, when they lose them, and who must wait. The observed processes are this
// one and its parent by number; what they map, the files and the kernel are made up.
#include "agent/discovery/tls/tls_attacher.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <set>

#include "tests/support/elf_samples.h"

namespace exa {
namespace {

using namespace test;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const auto kTgid = static_cast<std::uint32_t>(::getpid());
const auto kOther = static_cast<std::uint32_t>(::getppid());
constexpr MonotonicTime kNow{.ns = 1'000'000'000'000};

const AttachPlan kOpenSsl{
    .verdict = TlsVerdict::kReadable,
    .sites = {{TlsLibrary::kOpenSsl, TlsRole::kSslWrite, ProbePoint::kEntry, 0x1000}},
    .go_version = {},
    .build_id = "abc"};

MappedImage image(std::uint64_t inode, const std::string& file_system = "ext4") {
  MappedImage made;
  made.start = inode << 20;
  made.end = made.start + 4096;
  made.file = {.device = 1, .inode = inode, .mtime_ns = 5, .size_bytes = 9};
  made.file_system = file_system;
  made.path = "/lib/" + std::to_string(inode) + ".so";
  return made;
}

class Attacher : public testing::Test {
 protected:
  TlsAttacher attacher(std::vector<std::string> ignored = {}) {
    return {
        {.attach = [this](int, const FileIdentity&,
                          const AttachPlan&) -> Result<ProbedFiles::Attachment> {
           ++attached_;
           return ProbedFiles::Attachment(this, [this](void*) { --attached_; });
         },
         .written = [this] { return std::exchange(written_, {}); },
         .locked = [this] { return locked_; },
         .mark_dull = [this](std::uint32_t, std::uint64_t inode) { dull_.push_back(inode); },
         .is_excluded = [this](std::uint32_t) { return excluded_; },
         .end_tables = [this] { ++tables_ended_; }},
        {.mapped = [this](std::uint32_t tgid,
                          std::uint32_t) -> std::expected<MappedImages, Unread> {
           if (held_up_.contains(tgid)) return std::unexpected(Unread::kHeldUp);
           return MappedImages{.images = mapped_[tgid]};
         },
         .place = [](int, const MappedImage& of, std::uint32_t) -> std::expected<UniqueFd, Unread> {
           EXPECT_EQ(of.file_system, "ext4") << "nobody else's file may be touched";
           return UniqueFd(::open("/dev/null", O_PATH | O_CLOEXEC));
         },
         .read = [this](int, const FileIdentity* expected, ReadLimits limits,
                        std::uint32_t) { return read(expected, limits); }},
        std::move(ignored),
        0};
  }

  std::expected<ReadFile, Unread> read(const FileIdentity* expected, ReadLimits limits) {
    const FileIdentity file = expected ? *expected : FileIdentity{.device = 1, .inode = 999};
    reads_.push_back(file.inode);
    if (hung_.contains(file.inode)) return std::unexpected(Unread::kHeldUp);
    if (slow_.contains(file.inode) && limits.duration < TlsAttacher::kSecondLimits.duration)
      return ReadFile{file, AttachPlan{TlsVerdict::kOverLimit, {}, {}, {}}};
    if (rust_.contains(file.inode)) {
      AttachPlan plan;
      plan.searched = limits.thorough;
      if (limits.thorough) plan.verdict = TlsVerdict::kRustls;
      return ReadFile{file, plan};
    }
    const bool tls = !plain_.contains(file.inode);
    return ReadFile{file, tls ? kOpenSsl : AttachPlan{}};
  }

  void look(TlsAttacher& tls, std::uint32_t tgid = kTgid, MonotonicTime now = kNow) {
    tls.look_at(tgid, true, now);
    while (tls.has_turns())
      tls.take_turn(now);
  }

  static std::vector<std::string> reasons(const TlsAttacher& tls, std::uint32_t tgid) {
    std::vector<std::string> all;
    if (tls.processes().contains(tgid))
      for (const auto& use : tls.processes().at(tgid).uses)
        all.push_back(use.reason);
    return all;
  }

  std::map<std::uint32_t, std::vector<MappedImage>> mapped_{{kTgid, {image(1)}}};
  std::set<std::uint64_t> plain_;
  std::set<std::uint64_t> rust_;
  std::set<std::uint64_t> hung_;
  std::set<std::uint64_t> slow_;
  std::set<std::uint32_t> held_up_;
  std::vector<std::uint64_t> reads_;
  std::vector<std::uint64_t> dull_;
  std::vector<FileIdentity> written_;
  std::set<std::uint32_t> locked_;
  std::atomic<int> attached_ = 0;  // probes go on threads of their own
  bool excluded_ = false;
  int tables_ended_ = 0;
};

// In place, as cp does it: a probe would stand in the middle of an instruction.
TEST_F(Attacher, AFileThatIsWrittenToIsReadAnew) {
  auto tls = attacher();
  look(tls);
  written_ = {mapped_[kTgid][0].file};
  mapped_[kTgid][0].file.mtime_ns = 6;
  tls.forget_written(kNow);
  EXPECT_EQ(attached_, 0);
  while (tls.has_turns())
    tls.take_turn(kNow);
  EXPECT_EQ(attached_, 1);
  EXPECT_EQ(reads_.size(), 2u);
  EXPECT_EQ(tls.figures().files_written, 1u);
}

// The kernel would wait for it with every fork locked out.
TEST_F(Attacher, ProbesDoNotGoWhereAProcessHoldsTheLockOfItsMemory) {
  mapped_[kOther] = {image(1)};
  auto tls = attacher();
  look(tls);
  tls.forget(kTgid, kNow);
  locked_ = {kOther};
  tls.tidy(kNow + ProbedFiles::kDetachAfter);
  EXPECT_EQ(attached_, 1);
  locked_.clear();
  tls.tidy(kNow + ProbedFiles::kDetachAfter);
  EXPECT_EQ(attached_, 0);
}

// Nobody tells of a write through a mapping.
TEST_F(Attacher, AFileWithOtherContentsKeepsNoFormerProbes) {
  auto tls = attacher();
  look(tls);
  mapped_[kTgid][0].file.mtime_ns = 6;
  look(tls);
  EXPECT_EQ(attached_, 1) << "not two sets of them";
  EXPECT_EQ(tls.figures().files_written, 1u);
}

TEST_F(Attacher, ProbesWhatAProcessMaps) {
  auto tls = attacher();
  look(tls);
  EXPECT_EQ(attached_, 1);
  ASSERT_TRUE(tls.processes().contains(kTgid));
  EXPECT_EQ(tls.processes().at(kTgid).uses.front().library, "OpenSSL");
  // Once a file, however often it is looked at.
  look(tls);
  EXPECT_EQ(attached_, 1);
  EXPECT_EQ(reads_.size(), 1u);
}

TEST_F(Attacher, ReplicasOfOneFileAreOneFile) {
  auto tls = attacher();
  mapped_[kOther] = {image(1)};
  look(tls);
  look(tls, kOther);
  EXPECT_EQ(attached_, 1);
  EXPECT_EQ(tls.attached_files(), 1u);
  EXPECT_EQ(tls.processes().at(kOther).uses.front().probes, 1u);
}

TEST_F(Attacher, SearchesTheLibrariesOfAProcessWhoseTlsIsNotRead) {
  auto tls = attacher();
  rust_ = {2};
  plain_ = {3};
  mapped_[kTgid] = {image(1), image(2), image(3)};
  look(tls);
  EXPECT_THAT(reasons(tls, kTgid), ElementsAre("TLS is read by probes"));
  EXPECT_EQ(reads_.size(), 3u);

  for (int again = 0; again < 2; ++again) {
    tls.search(kTgid, kNow);
    while (tls.has_turns())
      tls.take_turn(kNow);
    EXPECT_THAT(reasons(tls, kTgid), ElementsAre("TLS is read by probes", HasSubstr("rustls")));
    EXPECT_EQ(attached_, 1);
  }
  EXPECT_EQ(std::ranges::count(reads_, 2u), 2) << "a file is searched once";
}

TEST_F(Attacher, LeavesAnExcludedProcessAlone) {
  auto tls = attacher();
  excluded_ = true;
  look(tls);
  EXPECT_EQ(attached_, 0);
  EXPECT_FALSE(tls.processes().contains(kTgid));
}

TEST_F(Attacher, TakesTheProbesAwaySomeTimeAfterTheLastObservedUser) {
  auto tls = attacher();
  look(tls);
  excluded_ = true;
  look(tls);
  tls.tidy(kNow + (ProbedFiles::kDetachAfter - 1s));
  EXPECT_EQ(attached_, 1);
  tls.tidy(kNow + ProbedFiles::kDetachAfter);
  EXPECT_EQ(attached_, 0);
  EXPECT_EQ(tls.figures().files_detached, 1u);
}

TEST_F(Attacher, KeepsProbesThatComeBackIntoUse) {
  auto tls = attacher();
  look(tls);
  excluded_ = true;
  look(tls);
  excluded_ = false;
  look(tls);
  tls.tidy(kNow + 2 * ProbedFiles::kDetachAfter);
  EXPECT_EQ(attached_, 1);
}

TEST_F(Attacher, DoesNotProbeForIgnoredPrograms) {
  const auto own = std::filesystem::read_symlink("/proc/self/exe").filename();
  auto tls = attacher({own});
  look(tls);
  EXPECT_EQ(attached_, 0);
  EXPECT_THAT(reasons(tls, kTgid), testing::ElementsAre("ignored by configuration"));
}

TEST_F(Attacher, NeverTouchesAFileWhoseReadsWaitForOthers) {
  mapped_[kTgid] = {image(1, "fuse"), image(2, "fuse"), image(3, "nfs4")};
  auto tls = attacher();
  look(tls);
  EXPECT_EQ(attached_, 0);
  EXPECT_TRUE(reads_.empty());
  EXPECT_EQ(tls.figures().files_refused, 3u);
  EXPECT_THAT(reasons(tls, kTgid),
              testing::UnorderedElementsAre(
                  "its file is on a file system in user space (fuse): probing it could stall "
                  "the whole host; 2 files",
                  HasSubstr("whose reads may stall (nfs4)")));
}

TEST_F(Attacher, AProgramWithoutTlsIsToldToTheKernel) {
  mapped_[kTgid] = {image(1), image(2)};
  mapped_[kTgid][0].is_program = true;
  mapped_[kTgid][0].program_inode = 77;
  plain_ = {1, 2};
  auto tls = attacher();
  look(tls);
  EXPECT_THAT(dull_, testing::ElementsAre(77));
}

TEST_F(Attacher, AFileThatHoldsItsReaderUpIsTriedOnceMoreAfterTheOthers) {
  mapped_[kTgid] = {image(1), image(2)};
  mapped_[kOther] = {image(1)};
  hung_ = {1};
  auto tls = attacher();
  look(tls);
  look(tls, kOther);
  EXPECT_THAT(reads_, testing::ElementsAre(1, 2, 1));
  EXPECT_EQ(attached_, 1) << "the other file has its probes";
  EXPECT_EQ(tls.figures().files_held_up, 2u);
  EXPECT_THAT(reasons(tls, kTgid), testing::Contains(HasSubstr("held up")));
  EXPECT_THAT(reasons(tls, kOther), testing::ElementsAre(HasSubstr("held up")));
}

TEST_F(Attacher, AProcessThatHoldsItsReaderUpIsNamed) {
  held_up_ = {kTgid};
  auto tls = attacher();
  look(tls);
  EXPECT_THAT(reasons(tls, kTgid), testing::ElementsAre(HasSubstr("held up")));
  EXPECT_EQ(tls.figures().files_held_up, 1u);
}

TEST_F(Attacher, OneProcessHasItsShareOfProbedFilesAndNoMore) {
  mapped_[kTgid].clear();
  for (std::uint64_t inode = 1; inode <= 600; ++inode)
    mapped_[kTgid].push_back(image(inode));
  mapped_[kOther] = {image(1001), image(5)};
  auto tls = attacher();
  look(tls);
  EXPECT_EQ(attached_, static_cast<int>(ProbedFiles::kMaxOfProcess));
  EXPECT_EQ(tls.figures().files_over_share, 600 - ProbedFiles::kMaxOfProcess);
  EXPECT_THAT(reasons(tls, kTgid), testing::Contains(HasSubstr("584 files")));
  look(tls, kOther);
  EXPECT_EQ(attached_, static_cast<int>(ProbedFiles::kMaxOfProcess) + 1);
  EXPECT_EQ(tls.processes().at(kOther).uses.size(), 2u);
}

TEST_F(Attacher, SlowFilesWaitUntilTheOthersWereRead) {
  mapped_[kTgid] = {image(1), image(2), image(3)};
  slow_ = {1};
  auto tls = attacher();
  look(tls);
  EXPECT_THAT(reads_, testing::ElementsAre(1, 2, 3, 1));
  EXPECT_EQ(attached_, 3);
}

TEST_F(Attacher, TablesAreToldForAWhileAndNotTakenAwayFromUnderALock) {
  auto tls = attacher();
  const MonotonicTime start{1'000'000'000};
  tls.end_tables(start);
  tls.end_tables(start + TlsAttacher::kTablesTold / 2);
  EXPECT_EQ(tables_ended_, 0);
  locked_ = {kTgid};
  tls.end_tables(start + TlsAttacher::kTablesTold);
  EXPECT_EQ(tables_ended_, 0) << "forks would wait";
  locked_.clear();
  tls.end_tables(start + TlsAttacher::kTablesTold);
  tls.end_tables(start + 2 * TlsAttacher::kTablesTold);
  EXPECT_EQ(tables_ended_, 1);
}

TEST_F(Attacher, WhatWaitsIsTold) {
  mapped_[kTgid] = {image(1), image(2), image(3)};
  auto tls = attacher();
  tls.look_at(kTgid, false, kNow);
  EXPECT_THAT(reasons(tls, kTgid), testing::ElementsAre("3 files are waiting to be read"));
  tls.take_turn(kNow);
  EXPECT_THAT(reasons(tls, kTgid), testing::Contains("2 files are waiting to be read"));
  tls.forget(kTgid, kNow);
  EXPECT_FALSE(tls.has_turns());
}

TEST_F(Attacher, TheHostsLibrariesAreHeldForGood) {
  auto tls = attacher();
  tls.attach_host_libraries({"/dev/null", "/nowhere/libssl.so.3"});
  EXPECT_EQ(attached_, 1);
  tls.tidy(kNow + 10 * ProbedFiles::kDetachAfter);
  EXPECT_EQ(attached_, 1);
}

}  // namespace
}  // namespace exa
