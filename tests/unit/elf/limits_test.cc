// What is not to be read is refused, and what is read stays within its limits.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>

#include "agent/discovery/elf/symbols.h"
#include "tests/support/elf_samples.h"

namespace exa {
namespace {

using namespace test;
using namespace std::chrono_literals;

constexpr std::array<std::string_view, 2> kNames = {"SSL_read", "main"};

ElfError error_of(int fd) {
  const auto image = ElfImage::open(fd);
  EXPECT_FALSE(image);
  return image ? ElfError::kAbsent : image.error();
}

TEST(Refused, AreFilesThatAreNotRegular) {
  const TemporaryFolder folder;
  ASSERT_EQ(mkfifo(folder.file("pipe").c_str(), 0600), 0);
  const auto fifo = open_file(folder.file("pipe"));
  const auto directory = open_file("/");
  const auto device = open_file("/dev/zero");
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  EXPECT_EQ(error_of(fifo.get()), ElfError::kNotRegularFile);
  EXPECT_EQ(error_of(directory.get()), ElfError::kNotRegularFile);
  EXPECT_EQ(error_of(device.get()), ElfError::kNotRegularFile);
  EXPECT_EQ(error_of(socket.get()), ElfError::kNotRegularFile);
  EXPECT_EQ(error_of(-1), ElfError::kReadFailed);
}

TEST(Refused, AreOtherKindsOfElf) {
  auto file = MemoryFile::copy_of(kLibSsl);
  file.put<unsigned char>(EI_CLASS, ELFCLASS32);
  EXPECT_EQ(error_of(file.fd()), ElfError::k32Bit);
  file.put<unsigned char>(EI_CLASS, ELFCLASS64);
  file.put<unsigned char>(EI_DATA, ELFDATA2MSB);
  EXPECT_EQ(error_of(file.fd()), ElfError::kByteOrder);
  file.put<unsigned char>(EI_DATA, ELFDATA2LSB);
  file.put<Elf64_Half>(offsetof(Elf64_Ehdr, e_type), ET_REL);
  EXPECT_EQ(error_of(file.fd()), ElfError::kNotLoadable);
  file.put<unsigned char>(0, 'M');
  EXPECT_EQ(error_of(file.fd()), ElfError::kNotElf);
  file.resize(3);
  EXPECT_EQ(error_of(file.fd()), ElfError::kNotElf);
  file.resize(0);
  EXPECT_EQ(error_of(file.fd()), ElfError::kNotElf);
}

TEST(Limits, OfBytesEndAReadThatWouldPassThem) {
  const auto file = open_file(kLibSsl);
  auto image = ElfImage::open(file.get(), {.bytes = 8192, .duration = 2s});
  ASSERT_TRUE(image) << sentence(image.error());
  const auto found = find_exported(*image, kNames);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error(), ElfError::kTooMuch);
}

TEST(Limits, OfTimeEndAReadThatWouldPassThem) {
  const auto file = open_file(kLibSsl);
  const auto image = ElfImage::open(file.get(), {.bytes = 1 << 20, .duration = -1ms});
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error(), ElfError::kTooSlow);
}

// Four gigabytes of holes, declared to be symbols and names: the limits hold, whatever is claimed.
TEST(Limits, HoldForSparseTables) {
  MemoryFile file;
  write_synthetic_elf(file, 10, std::uint64_t{4} << 30);
  const auto sections_at = file.get<Elf64_Ehdr>(0).e_shoff;
  const auto symbols_at = sections_at + 2 * sizeof(Elf64_Shdr);
  const auto strings_at = sections_at + 3 * sizeof(Elf64_Shdr);
  auto symbols = file.get<Elf64_Shdr>(symbols_at);
  auto strings = file.get<Elf64_Shdr>(strings_at);
  symbols.sh_offset = 0x10000;
  symbols.sh_size = std::uint64_t{3} << 30;
  file.put(symbols_at, symbols);
  const auto begun = std::chrono::steady_clock::now();
  for (const std::uint64_t size : {strings.sh_size, std::uint64_t{3} << 30}) {
    strings.sh_offset = size == strings.sh_size ? strings.sh_offset : 0x10000;
    strings.sh_size = size;
    file.put(strings_at, strings);
    auto image = ElfImage::open(file.fd(), {.bytes = 64 << 20, .duration = 500ms});
    ASSERT_TRUE(image);
    constexpr std::array<std::string_view, 1> name = {"function_of_a_long_namespace::function_3"};
    const auto found = find_local(*image, name);
    ASSERT_FALSE(found);
    EXPECT_TRUE(found.error() == ElfError::kTooMuch || found.error() == ElfError::kTooSlow);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 3s);
}

TEST(Limits, HoldForAFileThatIsCutWhileItIsRead) {
  auto file = MemoryFile::copy_of(kLibSsl);
  auto image = ElfImage::open(file.fd());
  ASSERT_TRUE(image);
  file.resize(4096);
  const auto found = find_exported(*image, kNames);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error(), ElfError::kTruncated);
}

TEST(Addresses, OutsideOfTheFileHaveNoOffset) {
  const auto file = open_file(kLibSsl);
  const auto image = ElfImage::open(file.get());
  ASSERT_TRUE(image);
  const std::uint64_t end = ~std::uint64_t{0};
  EXPECT_FALSE(image->file_offset(end, 1));
  EXPECT_FALSE(image->file_offset(end, end));
  EXPECT_FALSE(image->file_offset(0, end));
  EXPECT_TRUE(image->file_offset(0, 64));
  EXPECT_FALSE(image->code_offset(0, 64));  // the header is not executable
}

}  // namespace
}  // namespace exa
