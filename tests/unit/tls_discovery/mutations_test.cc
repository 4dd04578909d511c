// Real files, damaged at every field of their structures: whatever comes of it comes soon, and no
// probe is planned outside of the file's code.
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "agent/discovery/elf/elf_image.h"
#include "agent/discovery/tls/attachment_planner.h"
#include "tests/support/synthetic_go.h"

namespace exa {
namespace {

using namespace test;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr ReadLimits kLimits{.bytes = 64 << 20, .duration = 500ms};
// More than the limit, because other programs share the machine.
constexpr auto kLongest = 5s;

void examine(const MemoryFile& file) {
  const auto begun = Clock::now();
  const auto plan = plan_attachment(file.fd(), kLimits);
  ASSERT_LT(Clock::now() - begun, kLongest);
  ASSERT_EQ(plan.readable(), !plan.sites.empty());
  ASSERT_LE(plan.sites.size(), kMaxSites);
  for (const auto& site : plan.sites)
    ASSERT_LT(site.file_offset, file.size());
}

constexpr std::uint64_t kValues[] = {0,
                                     1,
                                     0x7f,
                                     0xff,
                                     0xffff,
                                     0x10000,
                                     0x7fffffff,
                                     0xffffffff,
                                     std::uint64_t{1} << 32,
                                     ~std::uint64_t{0} >> 1,
                                     ~std::uint64_t{0} - 7,
                                     ~std::uint64_t{0}};

// Puts each value into each field of the given width in a range.
template <typename Field>
void damage(MemoryFile& file, std::uint64_t begin, std::uint64_t end) {
  for (std::uint64_t at = begin; at + sizeof(Field) <= end; at += sizeof(Field)) {
    const auto original = file.get<Field>(at);
    for (const auto value : kValues) {
      file.put(at, static_cast<Field>(value));
      ASSERT_NO_FATAL_FAILURE(examine(file)) << "at " << at << " value " << value;
    }
    file.put(at, original);
  }
}

TEST(Mutations, OfEveryHeaderFieldOfALibraryAreSurvived) {
  auto file = MemoryFile::copy_of(kLibSsl);
  const auto header = file.get<Elf64_Ehdr>(0);
  const auto segments_end = header.e_phoff + header.e_phnum * sizeof(Elf64_Phdr);
  damage<std::uint16_t>(file, 0, sizeof header);
  damage<std::uint64_t>(file, 0, segments_end);
  damage<std::uint64_t>(file, header.e_shoff, file.size());
}

TEST(Mutations, OfEveryDynamicEntryAreSurvived) {
  auto file = MemoryFile::copy_of(kLibSsl);
  file.drop_sections();
  std::uint64_t begin = 0, end = 0, hash = 0;
  {
    const auto image = ElfImage::open(file.fd());
    ASSERT_TRUE(image);
    const Segment* const dynamic = image->segment_of_type(PT_DYNAMIC);
    ASSERT_NE(dynamic, nullptr);
    begin = dynamic->offset;
    end = begin + dynamic->file_bytes;
    for (auto at = begin; at < end; at += sizeof(Elf64_Dyn)) {
      const auto entry = file.get<Elf64_Dyn>(at);
      if (entry.d_tag == DT_GNU_HASH) hash = image->file_offset(entry.d_un.d_ptr, 16).value();
    }
  }
  damage<std::uint64_t>(file, begin, end);
  ASSERT_NE(hash, 0u);
  damage<std::uint32_t>(file, hash, hash + 64);
}

// Where a function leads and where in it to probe is read from its code.
TEST(Mutations, OfTheCodeOfProbedFunctionsAreSurvived) {
  auto file = MemoryFile::copy_of(kLibSsl);
  const auto symbols = readelf_functions(kLibSsl, "--dyn-syms");
  for (const char* name : {"SSL_read", "SSL_read_ex", "SSL_write", "SSL_write_ex", "SSL_free"}) {
    const auto code = readelf_offset(kLibSsl, symbols.at(name).vaddr);
    damage<std::uint8_t>(file, code, code + 40);
    damage<std::uint32_t>(file, code, code + 40);
  }
}

TEST(Mutations, OfEveryWordOfAGoProgramAreSurvived) {
  for (const auto form : {GoForm::k116, GoForm::k118, GoForm::k120}) {
    MemoryFile file;
    write_synthetic_go(file, form, "go1.22.1");
    using S = SyntheticGo;
    damage<std::uint32_t>(file, 0, sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr));
    damage<std::uint64_t>(file, sizeof(Elf64_Ehdr), sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr));
    damage<std::uint32_t>(file, S::kTable, S::kTable + 512);
    damage<std::uint64_t>(file, S::kTable, S::kTable + 80);
    damage<std::uint64_t>(file, S::kBuild, S::kBuild + 64);
    damage<std::uint64_t>(file, S::kModule, S::kModule + 192);
    damage<std::uint32_t>(file, S::kText, S::kTextEnd);
  }
}

TEST(Mutations, CutsAtEveryFieldAreSurvived) {
  auto file = MemoryFile::copy_of(kLibSsl);
  // From the end: each cut is made on what the last one left.
  for (auto size = file.size(); size > 4096; size -= std::min<std::uint64_t>(size, 1021)) {
    file.resize(size);
    ASSERT_NO_FATAL_FAILURE(examine(file)) << size;
  }
  for (std::uint64_t size = std::min<std::uint64_t>(file.size(), 4096); size > 0; --size) {
    file.resize(size);
    ASSERT_NO_FATAL_FAILURE(examine(file)) << size;
  }
}

TEST(Mutations, AtRandomAreSurvived) {
  auto file = MemoryFile::copy_of(kLibSsl);
  std::mt19937_64 random(20261121);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> originals;
  int still_readable = 0;
  for (int round = 0; round < 4000; ++round) {
    const auto at = random() % 2 ? random() % 4096 : random() % (file.size() - 8);
    originals.emplace_back(at, file.get<std::uint64_t>(at));
    file.put(at, random() >> random() % 64);
    ASSERT_NO_FATAL_FAILURE(examine(file)) << round;
    still_readable += plan_attachment(file.fd(), kLimits).readable();
    if (round % 4 != 3) continue;
    // Up to four damages pile up, then the file is sound again.
    for (; !originals.empty(); originals.pop_back())
      file.put(originals.back().first, originals.back().second);
  }
  EXPECT_GT(still_readable, 400);  // most were not refused at the door
}

}  // namespace
}  // namespace exa
