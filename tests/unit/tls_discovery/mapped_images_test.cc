// What readers say of mapped files, and where such a file is found again.
#include "agent/discovery/tls/mapped_images.h"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>

#include "tests/support/elf_samples.h"

namespace exa {
namespace {

using namespace test;

exa_mapping mapping(std::uint64_t start, std::uint64_t inode, std::uint32_t device = 1) {
  exa_mapping made{};
  made.start = start;
  made.end = start + 0x1000;
  made.inode = inode;
  made.device = device;
  made.size_bytes = 4096;
  std::strcpy(made.file_system, "ext4");
  std::strcpy(made.path, "/usr/lib/x.so");
  return made;
}

TEST(ImageCollector, TakesEachFileOnce) {
  ImageCollector collector;
  EXPECT_TRUE(collector.add(mapping(0x1000, 7)));
  EXPECT_TRUE(collector.add(mapping(0x3000, 8)));
  auto program = mapping(0x5000, 7);
  program.flags = EXA_MAPPING_PROGRAM;
  EXPECT_TRUE(collector.add(program));
  EXPECT_TRUE(collector.add(mapping(0x7000, 7, 2)));
  ASSERT_EQ(collector.images().size(), 3u);
  EXPECT_EQ(collector.images()[0].start, 0x1000u);
  EXPECT_EQ(collector.images()[0].flags, 1u) << "one of its mappings holds the program's code";
  EXPECT_TRUE(collector.complete());
}

TEST(ImageCollector, StopsAtItsBounds) {
  ImageCollector many;
  for (std::uint64_t i = 1; i <= kMaxImages + 1; ++i)
    many.add(mapping(i * 0x1000, i));
  EXPECT_EQ(many.images().size(), kMaxImages);
  EXPECT_FALSE(many.complete());
  ImageCollector again;
  std::size_t taken = 0;
  while (again.add(mapping(0x1000, 1)))
    ++taken;
  EXPECT_EQ(taken, kMaxMappings);
}

TEST(ImagesMessage, ArrivesAsItWas) {
  const std::array images{mapping(0x1000, 7), mapping(0x3000, 8)};
  const auto message = decode_images(encode_images(images, true, false));
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->last);
  EXPECT_FALSE(message->complete);
  ASSERT_EQ(message->images.size(), 2u);
  EXPECT_EQ(message->images[1].file.inode, 8u);
  EXPECT_EQ(message->images[1].file_system, "ext4");
  EXPECT_EQ(message->images[1].path, "/usr/lib/x.so");
}

TEST(ImagesMessage, ATextWithoutItsEndEndsWithItsField) {
  auto endless = mapping(0x1000, 7);
  std::memset(endless.path, 'p', sizeof endless.path);
  std::memset(endless.file_system, 'f', sizeof endless.file_system);
  const auto image = image_of(endless);
  ASSERT_TRUE(image);
  EXPECT_EQ(image->path, std::string(EXA_MAPPING_PATH_BYTES, 'p'));
  EXPECT_EQ(image->file_system, std::string(16, 'f'));
}

TEST(ImagesMessage, NothingThatContradictsItselfIsBelieved) {
  const std::array images{mapping(0x1000, 7)};
  const auto whole = encode_images(images, true, true);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(decode_images(std::span(whole).first(size)));
  auto more = whole;
  more[0] = std::byte{kImagesInMessage + 1};
  EXPECT_FALSE(decode_images(more));
  auto flags = whole;
  flags[4] = std::byte{4};
  EXPECT_FALSE(decode_images(flags));
  auto empty = mapping(0x1000, 7);
  empty.end = empty.start;
  EXPECT_FALSE(decode_images(encode_images(std::span(&empty, 1), true, true)));
  EXPECT_FALSE(image_of(mapping(0x1000, 0)));
}

TEST(FileSystems, OnlyWhatTheKernelReadsAloneIsProbed) {
  for (const auto* name : {"ext4", "xfs", "btrfs", "tmpfs", "squashfs", "virtiofs", "9p"})
    EXPECT_TRUE(is_read_by_the_kernel_alone(name)) << name;
  for (const auto* name : {"fuse", "fuseblk", "nfs", "nfs4", "cifs", "smb3", "ceph", "afs", "coda",
                           "lustre", "", "unheard-of"})
    EXPECT_FALSE(is_read_by_the_kernel_alone(name)) << name;
  EXPECT_EQ(refusal("fuse"),
            "its file is on a file system in user space (fuse): probing it could stall the "
            "whole host");
  EXPECT_EQ(refusal("nfs4"),
            "its file is on a file system whose reads may stall (nfs4): probing it could "
            "stall the whole host");
}

TEST(MappedPlace, IsTheFileThatIsMappedAndNotWhatLiesThereNow) {
  const TemporaryFolder folder;
  const std::string path = folder.file("code");
  std::ofstream(path) << std::string(4096, 'x');
  const auto file = open_file(path);
  void* const page = ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file.get(), 0);
  ASSERT_NE(page, MAP_FAILED);
  std::filesystem::remove(path);
  std::ofstream(path) << "another";
  const auto process = open_process(static_cast<std::uint32_t>(::getpid()));
  ASSERT_TRUE(process);
  MappedImage image;
  image.start = reinterpret_cast<std::uint64_t>(page);
  image.end = image.start + 4096;
  const auto place = [&] {
    return UniqueFd(::openat(process->get(), name_of_mapping(image).c_str(), O_PATH | O_CLOEXEC));
  };
  const UniqueFd there = place();
  ASSERT_TRUE(there.valid());
  struct stat found{};
  struct stat mapped{};
  ASSERT_EQ(::fstat(there.get(), &found), 0);
  ASSERT_EQ(::fstat(file.get(), &mapped), 0);
  EXPECT_EQ(found.st_ino, mapped.st_ino);
  ::munmap(page, 4096);
  EXPECT_FALSE(place().valid());
}

}  // namespace
}  // namespace exa
