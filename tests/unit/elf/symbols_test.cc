// Symbols of real libraries and programs, compared with what readelf says about them.
#include "agent/discovery/elf/symbols.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <set>

#include "agent/discovery/elf/build_id.h"
#include "agent/discovery/elf/dynamic.h"
#include "agent/discovery/elf/string_search.h"
#include "tests/support/elf_samples.h"

namespace exa {
namespace {

using namespace test;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::array<std::string_view, 6> kSslNames = {
    "SSL_read", "SSL_read_ex", "SSL_write", "SSL_write_ex", "SSL_free", "no_such_name"};

// Every wanted name that readelf knows is found at the same place, and no other.
void expect_same_as_readelf(const std::string& path, int fd, const std::string& table,
                            std::span<const std::string_view> names,
                            const std::vector<FunctionSymbol>& found) {
  const auto oracle = readelf_functions(path, table);
  ASSERT_FALSE(oracle.empty());
  std::size_t expected = 0;
  for (std::uint32_t i = 0; i < names.size(); ++i) {
    const auto known = oracle.find(std::string(names[i]));
    if (known == oracle.end()) continue;
    ++expected;
    EXPECT_THAT(found, Contains(AllOf(Field(&FunctionSymbol::wanted, i),
                                      Field(&FunctionSymbol::vaddr, known->second.vaddr),
                                      Field(&FunctionSymbol::size_bytes, known->second.size_bytes),
                                      Field(&FunctionSymbol::file_offset,
                                            readelf_offset(path, known->second.vaddr)))))
        << names[i];
  }
  EXPECT_THAT(found, SizeIs(expected));
  (void)fd;
}

class ExportedSymbols : public testing::TestWithParam<const char*> {};

TEST_P(ExportedSymbols, AreThoseOfReadelf) {
  if (!std::filesystem::exists(GetParam())) GTEST_SKIP() << GetParam() << " is not installed";
  const auto file = open_file(GetParam());
  auto image = ElfImage::open(file.get());
  ASSERT_TRUE(image) << sentence(image.error());

  const auto found = find_exported(*image, kSslNames);

  ASSERT_TRUE(found) << sentence(found.error());
  expect_same_as_readelf(GetParam(), file.get(), "--dyn-syms", kSslNames, *found);
}
INSTANTIATE_TEST_SUITE_P(Real, ExportedSymbols, testing::Values(kLibSsl, kLibGnuTls, kNode));

// The dynamic segment gives the same answer as the section headers, for all exported functions.
TEST_P(ExportedSymbols, AreFoundWithoutSectionHeaders) {
  if (!std::filesystem::exists(GetParam())) GTEST_SKIP() << GetParam() << " is not installed";
  auto copy = MemoryFile::copy_of(GetParam());
  auto whole = ElfImage::open(copy.fd());
  ASSERT_TRUE(whole);
  const auto expected = find_exported(*whole, kSslNames);
  copy.drop_sections();

  auto image = ElfImage::open(copy.fd());
  ASSERT_TRUE(image);
  const auto found = find_exported(*image, kSslNames);

  EXPECT_THAT(image->sections(), IsEmpty());
  ASSERT_TRUE(found) << sentence(found.error());
  EXPECT_EQ(*found, *expected);
}

TEST(Symbols, ManyNamesOfOneLibraryAreThoseOfReadelf) {
  const auto oracle = readelf_functions(kLibSsl, "--dyn-syms");
  ASSERT_GT(oracle.size(), 300u);
  const auto file = open_file(kLibSsl);
  auto image = ElfImage::open(file.get());
  ASSERT_TRUE(image);
  std::vector<std::string_view> names;
  std::size_t compared = 0;
  for (auto next = oracle.begin(); next != oracle.end();) {
    names.clear();
    for (; next != oracle.end() && names.size() < 64; ++next)
      names.push_back(next->first);
    const auto found = find_exported(*image, names);
    ASSERT_TRUE(found);
    ASSERT_THAT(*found, SizeIs(names.size()));
    for (const auto& symbol : *found) {
      const auto& known = oracle.at(std::string(names[symbol.wanted]));
      EXPECT_EQ(symbol.vaddr, known.vaddr) << names[symbol.wanted];
      EXPECT_EQ(symbol.size_bytes, known.size_bytes) << names[symbol.wanted];
      ++compared;
    }
  }
  EXPECT_EQ(compared, oracle.size());
}

TEST(Symbols, OfTheFullTableAreThoseOfReadelf) {
  // This test program itself: it is not stripped.
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const auto file = open_file(self);
  auto image = ElfImage::open(file.get());
  ASSERT_TRUE(image);
  constexpr std::array<std::string_view, 3> names = {"main", "_start", "not_a_function_of_this"};

  const auto found = find_local(*image, names);

  ASSERT_TRUE(found) << sentence(found.error());
  expect_same_as_readelf(self, file.get(), "-s", names, *found);
}

TEST(Symbols, OfAStrippedLibraryHaveNoFullTable) {
  const auto file = open_file(kLibSsl);
  auto image = ElfImage::open(file.get());
  ASSERT_TRUE(image);
  const auto found = find_local(*image, kSslNames);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error(), ElfError::kAbsent);
}

TEST(Symbols, OfAMillionFunctionsTakeLittleMemory) {
  MemoryFile file;
  write_synthetic_elf(file, 1'000'000, std::uint64_t{1} << 30);
  auto image = ElfImage::open(file.fd());
  ASSERT_TRUE(image) << sentence(image.error());
  constexpr std::array<std::string_view, 3> names = {
      "function_of_a_long_namespace::function_0", "function_of_a_long_namespace::function_999999",
      "SSL_read"};

  const auto found = find_local(*image, names);

  ASSERT_TRUE(found) << sentence(found.error());
  ASSERT_THAT(*found, SizeIs(2));
  EXPECT_EQ((*found)[0].vaddr, 0x401000u);
  EXPECT_EQ((*found)[0].file_offset, 0x1000u);
  EXPECT_EQ((*found)[1].vaddr, 0x401000u + 999'999 * 16);
}

TEST(Symbols, AreFoundBehindMergedTailsAndAcrossWindows) {
  // "write" is the tail of "SSL_write"; a name that straddles 64 KiB is still one.
  MemoryFile file;
  std::string table(64 * 1024 - 4, 'x');
  table[0] = '\0';
  table += std::string("SSL_write\0SSL_writes\0", 21);
  file.write(0, table);
  auto reader = BoundedReader::open(file.fd(), {});
  ASSERT_TRUE(reader);
  constexpr std::array<std::string_view, 2> names = {"SSL_write", "write"};

  // The name does not begin the string that ends with it: the linker may point into it.
  const auto found = find_names(*reader, 0, table.size(), names);

  ASSERT_TRUE(found);
  const std::uint64_t at = 64 * 1024 - 4;
  EXPECT_THAT(*found, ElementsAre(NameOffset{at, 0}, NameOffset{at + 4, 1}));
}

TEST(BuildId, IsThatOfReadelf) {
  for (const std::string path : {kLibSsl, kLibGnuTls, kNode}) {
    if (!std::filesystem::exists(path)) continue;
    const auto oracle = output_of("readelf -n " + path + " | sed -n 's/.*Build ID: //p'");
    ASSERT_TRUE(oracle && !oracle->empty());
    const auto file = open_file(path);
    auto image = ElfImage::open(file.get());
    ASSERT_TRUE(image);
    EXPECT_EQ(read_build_id(*image).value_or("") + "\n", *oracle) << path;
  }
}

TEST(Dynamic, NamesTheNeededLibraries) {
  const auto file = open_file(kLibSsl);
  auto image = ElfImage::open(file.get());
  ASSERT_TRUE(image);
  const auto dynamic = read_dynamic(*image);
  ASSERT_TRUE(dynamic);
  EXPECT_THAT(dynamic->needed, Contains("libcrypto.so.3"));
  EXPECT_EQ(dynamic->soname, "libssl.so.3");
}

}  // namespace
}  // namespace exa
