// What the iterators tell of the files that a process maps: the real file behind an overlay, by
// the numbers that stat(2) says of it where it lies.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/prctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "agent/kernel/mapping_iterator.h"
#include "exa/abi/mapping.h"

namespace exa::kernel {
namespace {

constexpr auto kOverlay = 0x794c7630;  // OVERLAYFS_SUPER_MAGIC
const auto kOwn = static_cast<std::uint32_t>(::getpid());

std::vector<exa_mapping> told_by(const UniqueFd& iterator) {
  std::vector<exa_mapping> all;
  std::vector<char> bytes;
  char part[16384];
  for (ssize_t got = 0; (got = ::read(iterator.get(), part, sizeof part)) > 0;)
    bytes.insert(bytes.end(), part, part + got);
  EXPECT_EQ(bytes.size() % sizeof(exa_mapping), 0u);
  all.resize(bytes.size() / sizeof(exa_mapping));
  std::memcpy(all.data(), bytes.data(), all.size() * sizeof(exa_mapping));
  return all;
}

const exa_mapping* at(const std::vector<exa_mapping>& all, const void* address) {
  for (const auto& mapping : all)
    if (mapping.start == reinterpret_cast<std::uint64_t>(address)) return &mapping;
  return nullptr;
}

// A page of the file, mapped as long as this lives.
class Mapped {
 public:
  Mapped(const std::string& path, int protection) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    address_ = ::mmap(nullptr, 4096, protection, MAP_PRIVATE, file.get(), 0);
    EXPECT_NE(address_, MAP_FAILED) << path;
  }
  ~Mapped() { ::munmap(address_, 4096); }
  Mapped(const Mapped&) = delete;
  [[nodiscard]] const void* address() const { return address_; }

 private:
  void* address_ = nullptr;
};

class Mappings : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "loading BPF programs needs root";
    auto loaded = MappingIterator::load();
    ASSERT_TRUE(loaded) << loaded.error().text;
    iterator_.emplace(std::move(*loaded));
  }
  std::optional<MappingIterator> iterator_;
};

// Memory is locked for reading while a page is fetched from somebody who does not answer.
TEST_F(Mappings, TellWhoseMemoryIsLocked) {
  EXPECT_FALSE(iterator_->locked().contains(kOwn));
}

std::vector<std::uint64_t> places_of(const Result<UniqueFd>& iterator) {
  EXPECT_TRUE(iterator);
  std::vector<std::uint64_t> places(8);
  const auto got = ::read(iterator->get(), places.data(), places.size() * sizeof places[0]);
  places.resize(got < 0 ? 0 : static_cast<std::size_t>(got) / sizeof places[0]);
  return places;
}

// What an SDK does so that others find what it publishes.
TEST_F(Mappings, TellWhereAProcessPublishesByAMemfd) {
  EXPECT_THAT(places_of(iterator_->published_by(kOwn)), testing::IsEmpty());
  std::vector<std::uint64_t> mapped;
  for (const char* const name : {EXA_PUBLISHED "_", EXA_PUBLISHED}) {
    const UniqueFd file(::memfd_create(name, MFD_CLOEXEC));
    ASSERT_EQ(::ftruncate(file.get(), 4096), 0);
    void* const at = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, file.get(), 0);
    mapped.push_back(reinterpret_cast<std::uint64_t>(at));
  }
  EXPECT_THAT(places_of(iterator_->published_by(kOwn)), testing::ElementsAre(mapped[1]));
  for (const auto at : mapped)
    ::munmap(reinterpret_cast<void*>(at), 4096);
}

TEST_F(Mappings, TellWhereAProcessPublishesByANameOfItsMemory) {
  void* const at = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const bool named = ::prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, 4096, EXA_PUBLISHED) == 0;
  const auto places = places_of(iterator_->published_by(kOwn));
  ::munmap(at, 4096);
  if (!named) GTEST_SKIP() << "this kernel has no names for anonymous memory";
  EXPECT_THAT(places, testing::ElementsAre(reinterpret_cast<std::uint64_t>(at)));
}

void expect_file(const exa_mapping& mapping, const std::string& path) {
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(mapping.inode, status.st_ino);
  // On an overlay, as the root of a container or a guest is, stat tells a number of the overlay's.
  struct statfs system{};
  ASSERT_EQ(::statfs(path.c_str(), &system), 0);
  if (system.f_type != kOverlay) {
    EXPECT_EQ(mapping.device, major(status.st_dev) << 20 | minor(status.st_dev));
  }
  EXPECT_EQ(mapping.size_bytes, static_cast<std::uint64_t>(status.st_size));
  EXPECT_EQ(mapping.mtime_ns, static_cast<std::uint64_t>(status.st_mtim.tv_sec) * 1'000'000'000 +
                                  static_cast<std::uint64_t>(status.st_mtim.tv_nsec));
}

TEST_F(Mappings, TellsTheProgramAndWhatElseHoldsCode) {
  const Mapped code("/bin/true", PROT_READ | PROT_EXEC);
  const Mapped text("/bin/false", PROT_READ);
  const auto told = iterator_->code_of(kOwn);
  ASSERT_TRUE(told) << told.error().text;
  const auto all = told_by(*told);
  const auto* const mapping = at(all, code.address());
  ASSERT_NE(mapping, nullptr);
  expect_file(*mapping, std::filesystem::canonical("/bin/true"));
  EXPECT_STREQ(mapping->path, std::filesystem::canonical("/bin/true").c_str());
  EXPECT_EQ(mapping->flags, 0u);
  EXPECT_EQ(at(all, text.address()), nullptr) << "no code";
  std::size_t programs = 0;
  for (const auto& one : all) {
    if ((one.flags & EXA_MAPPING_PROGRAM) == 0) continue;
    ++programs;
    expect_file(one, "/proc/self/exe");
    EXPECT_EQ(one.program_inode, one.inode);
  }
  EXPECT_EQ(programs, 1u);
}

TEST_F(Mappings, TellsEveryFileIfAsked) {
  const Mapped text("/bin/false", PROT_READ);
  const auto told = iterator_->all_of(kOwn);
  ASSERT_TRUE(told) << told.error().text;
  const auto all = told_by(*told);
  const auto* const mapping = at(all, text.address());
  ASSERT_NE(mapping, nullptr);
  expect_file(*mapping, std::filesystem::canonical("/bin/false"));
}

TEST_F(Mappings, TellsTheRealFileBehindAnOverlay) {
  char name[] = "/tmp/exa-overlay-XXXXXX";
  const std::string folder = ::mkdtemp(name);
  for (const char* part : {"/lower", "/upper", "/work", "/all"})
    std::filesystem::create_directory(folder + part);
  std::filesystem::copy_file("/bin/true", folder + "/lower/program");
  // The layers on a file system of their own, since an overlay has no place on an overlay.
  const std::string options = "lowerdir=" + folder + "/lower";
  if (::mount("overlay", (folder + "/all").c_str(), "overlay", MS_RDONLY,
              (options + ":" + folder + "/upper").c_str()) != 0) {
    std::filesystem::remove_all(folder);
    GTEST_SKIP() << "no overlay can be mounted here";
  }
  {
    const Mapped code(folder + "/all/program", PROT_READ | PROT_EXEC);
    const auto told = iterator_->code_of(kOwn);
    ASSERT_TRUE(told) << told.error().text;
    const auto all = told_by(*told);
    const auto* const mapping = at(all, code.address());
    ASSERT_NE(mapping, nullptr);
    expect_file(*mapping, folder + "/lower/program");
    EXPECT_STRNE(mapping->file_system, "overlay");
  }
  EXPECT_EQ(::umount((folder + "/all").c_str()), 0);
  std::filesystem::remove_all(folder);
}

TEST_F(Mappings, OfAProcessThatIsNotThereThereIsNothing) {
  const auto told = iterator_->code_of(0x7fffffff);
  EXPECT_TRUE(!told || told_by(*told).empty());
}

}  // namespace
}  // namespace exa::kernel
