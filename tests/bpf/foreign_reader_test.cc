// The prober's readers against the real kernel: what they say of files and processes, and what
// becomes of one that is held up. The parts that need root skip without.
#include "agent/readers/foreign_reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "agent/discovery/tls/attachment_planner.h"
#include "tests/support/elf_samples.h"

namespace exa {
namespace {

using namespace test;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kOwner = 1000;
constexpr std::uint32_t kReaderUser = 65534;

UniqueFd place_of(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_PATH | O_CLOEXEC));
}

class Readers : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "loading BPF programs needs root";
    auto loaded = kernel::MappingIterator::load();
    ASSERT_TRUE(loaded) << loaded.error().text;
    mappings_.emplace(std::move(*loaded));
    auto zygote = Zygote::start(be_reader, kReaderUser);
    ASSERT_TRUE(zygote) << zygote.error().text;
    zygote_.emplace(std::move(*zygote));
    reader_.emplace(*zygote_);
  }

  std::expected<ReadFile, Unread> plan(const std::string& path,
                                       const FileIdentity* expected = nullptr) {
    return reader_->plan(place_of(path).get(), expected, {}, kOwner, *mappings_);
  }

  // A folder like that of a process, of which reading the environment never ends.
  UniqueFd endless_process() {
    const std::string fifo = folder_.file("environ");
    ::mkfifo(fifo.c_str(), 0600);
    writer_.reset(::open(fifo.c_str(), O_RDWR | O_CLOEXEC));
    std::ofstream(folder_.file("cmdline")) << "x";
    return UniqueFd(::open(folder_.file("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }

  TemporaryFolder folder_;
  UniqueFd writer_;
  std::optional<kernel::MappingIterator> mappings_;
  std::optional<Zygote> zygote_;
  std::optional<ForeignReader> reader_;
};

TEST_F(Readers, PlanAFileAsThoughItWereReadHere) {
  for (const std::string path : {kLibSsl, kLibGnuTls, "/bin/true"}) {
    const auto found = plan(path);
    ASSERT_TRUE(found) << path << ": " << sentence(found.error());
    const auto here = plan_attachment(open_file(path).get());
    EXPECT_EQ(found->plan.verdict, here.verdict);
    EXPECT_EQ(found->plan.sites, here.sites);
    EXPECT_EQ(found->plan.build_id, here.build_id);
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(found->file.inode, status.st_ino);
  }
}

TEST_F(Readers, OpenWhatOnlyItsOwnerMayRead) {
  const std::string path = folder_.file("libssl.so.3");
  std::filesystem::copy_file(kLibSsl, path);
  ::chmod(path.c_str(), 0700);
  const auto found = plan(path);
  ASSERT_TRUE(found) << sentence(found.error());
  EXPECT_TRUE(found->plan.readable());
}

TEST_F(Readers, ReadNoOtherFileThanTheExpected) {
  const FileIdentity other{.device = 1, .inode = 1};
  EXPECT_EQ(plan(kLibSsl, &other).error(), Unread::kOtherFile);
  const auto found = plan(kLibSsl);
  ASSERT_TRUE(found);
  EXPECT_TRUE(plan(kLibSsl, &found->file));
}

TEST_F(Readers, ReadNothingThatIsNotOnTheKernelsOwnFileSystems) {
  EXPECT_EQ(plan("/proc/self/status").error(), Unread::kOtherFile) << "it cannot be mapped";
  EXPECT_EQ(plan("/sys/kernel/btf/vmlinux").error(), Unread::kRefused);
}

TEST_F(Readers, TellTheFilesBehindAnOverlay) {
  const std::string mounted = folder_.file("all");
  for (const char* part : {"lower", "other", "all"})
    std::filesystem::create_directory(folder_.file(part));
  std::filesystem::copy_file(kLibSsl, folder_.file("lower/libssl.so.3"));
  const std::string options = "lowerdir=" + folder_.file("lower") + ":" + folder_.file("other");
  if (::mount("overlay", mounted.c_str(), "overlay", MS_RDONLY, options.c_str()) != 0)
    GTEST_SKIP() << "no overlay can be mounted here";
  const auto through = plan(mounted + "/libssl.so.3");
  const auto itself = plan(folder_.file("lower/libssl.so.3"));
  EXPECT_EQ(::umount(mounted.c_str()), 0);
  ASSERT_TRUE(through && itself);
  EXPECT_EQ(through->file, itself->file);
}

TEST_F(Readers, TellWhatAProcessMapsAndSays) {
  const auto iterator = mappings_->code_of(static_cast<std::uint32_t>(::getpid()));
  ASSERT_TRUE(iterator);
  const auto mapped = reader_->images(*iterator, kOwner);
  ASSERT_TRUE(mapped) << sentence(mapped.error());
  EXPECT_TRUE(mapped->complete);
  EXPECT_THAT(mapped->images, testing::Contains(testing::Field(&MappedImage::is_program, true)));

  std::ofstream(folder_.file("environ"), std::ios::binary)
      << std::string("A=1\0OTEL_SERVICE_NAME=shop\0", 27);
  std::ofstream(folder_.file("cmdline"), std::ios::binary)
      << std::string("python3\0/srv/app.py\0", 20);
  const UniqueFd process(::open(folder_.file("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto words = reader_->words(process.get(), kOwner, "python3");
  ASSERT_TRUE(words) << sentence(words.error());
  EXPECT_EQ(words->environment.service_name, "shop");
  EXPECT_EQ(words->program.name, "app");
}

TEST_F(Readers, TellWhatAProcessPublishes) {
  const UniqueFd process(::open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto told = [&] {
    const auto iterator = mappings_->published_by(static_cast<std::uint32_t>(::getpid()));
    EXPECT_TRUE(iterator);
    return reader_->published(process.get(), kOwner, *iterator);
  };
  ASSERT_TRUE(told());
  EXPECT_EQ(*told(), OtelEnvironment{}) << "it publishes nothing";

  const std::string resource = "\n\x16\n\x0cservice.name\x12\x06\n\x04shop";
  const UniqueFd file(::memfd_create("OTEL_CTX", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(file.get(), 4096), 0);
  void* const at = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.get(), 0);
  struct Header {
    char signature[8] = {'O', 'T', 'E', 'L', '_', 'C', 'T', 'X'};
    std::uint32_t version = 2;
    std::uint32_t payload_bytes = 0;
    std::uint64_t published_at_ns = 1;
    const char* payload = nullptr;
  };
  new (at) Header{.payload_bytes = static_cast<std::uint32_t>(resource.size()),
                  .payload = resource.data()};
  const auto found = told();
  ::munmap(at, 4096);
  ASSERT_TRUE(found) << sentence(found.error());
  EXPECT_EQ(found->service_name, "shop");
}

TEST_F(Readers, WhoeverHoldsThemUpIsLeftBehindAndTheNextIsAnswered) {
  const auto endless = endless_process();
  const auto begin = Clock::now();
  EXPECT_EQ(reader_->words(endless.get(), kOwner, "x").error(), Unread::kHeldUp);
  EXPECT_LT(Clock::now() - begin, 2s);
  EXPECT_EQ(reader_->held_up(), 1u);
  const auto iterator = mappings_->code_of(static_cast<std::uint32_t>(::getpid()));
  ASSERT_TRUE(iterator);
  EXPECT_TRUE(reader_->images(*iterator, kOwner));
}

// Opening a FIFO that nobody writes waits, as opening does while its process execs.
TEST_F(Readers, NobodyWaitsForAnOpenThatDoesNotEnd) {
  ::mkfifo(folder_.file("environ").c_str(), 0600);
  std::ofstream(folder_.file("cmdline")) << "x";
  const UniqueFd process(::open(folder_.file("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < ForeignReader::kMaxHeldUpOfOwner; ++i)
    EXPECT_EQ(reader_->words(process.get(), kOwner, "x").error(), Unread::kHeldUp);
  EXPECT_LT(Clock::now() - begin, 4s);
  // Its user waits, the others do not.
  EXPECT_EQ(reader_->words(process.get(), kOwner, "x").error(), Unread::kOwnerHoldsUp);
  const UniqueFd own(::open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_TRUE(reader_->words(own.get(), kOwner + 1, "x"));
  // It ends, and all is as it was.
  const UniqueFd writer(::open(folder_.file("environ").c_str(), O_RDWR | O_CLOEXEC));
  const auto deadline = Clock::now() + 5s;
  bool answered = false;
  while (!answered && Clock::now() < deadline)
    answered = reader_->words(own.get(), kOwner, "x").has_value();
  EXPECT_TRUE(answered);
}

TEST_F(Readers, WorkOnAfterOneWasEnded) {
  const auto iterator = mappings_->code_of(static_cast<std::uint32_t>(::getpid()));
  ASSERT_TRUE(reader_->images(*iterator, kOwner));
  // As if it had been taken over and ended: its number is the first that was given out.
  zygote_->end_reader(1);
  const UniqueFd process(::open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto deadline = Clock::now() + 5s;
  bool answered = false;
  while (!answered && Clock::now() < deadline)
    answered = reader_->words(process.get(), kOwner, "x").has_value();
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace exa
