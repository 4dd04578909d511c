// Plans for real libraries and programs of this machine, compared with readelf.
#include "agent/discovery/tls/attachment_planner.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <sstream>

#include "agent/discovery/elf/elf_image.h"
#include "agent/discovery/elf/probe_place.h"
#include "agent/discovery/elf/string_search.h"
#include "tests/support/elf_samples.h"
#include "tests/support/go_programs.h"

namespace exa {
namespace {

using namespace test;
using testing::Each;
using testing::Field;
using testing::IsEmpty;
using testing::UnorderedElementsAreArray;

AttachPlan plan_of(const std::string& path) {
  const auto file = open_file(path);
  return plan_attachment(file.get());
}

struct Line {
  std::uint64_t vaddr;
  std::string text;  // mnemonic and operands
};
std::vector<Line> disassemble(const std::string& path, std::uint64_t vaddr) {
  std::ostringstream command;
  command << std::hex << "objdump -d --no-show-raw-insn --start-address=0x" << vaddr
          << " --stop-address=0x" << vaddr + kPrologueBytes << ' ' << path;
  std::istringstream rows(output_of(command.str()).value_or(""));
  std::vector<Line> lines;
  for (std::string row; std::getline(rows, row);) {
    const auto colon = row.find(":\t");
    if (colon == std::string::npos) continue;
    lines.push_back({std::stoull(row.substr(0, colon), nullptr, 16), row.substr(colon + 2)});
  }
  return lines;
}

// Where objdump says that a breakpoint is cheap, if nothing but tests lies before it.
std::uint64_t cheap_vaddr(const std::string& path, std::uint64_t vaddr) {
  for (const auto& [at, text] : disassemble(path, vaddr)) {
    if (text.starts_with("push") || text.starts_with("j") || text.starts_with("call")) return at;
    if (!text.starts_with("test") && !text.starts_with("cmp")) break;
  }
  return vaddr;
}

// The first function that the one at vaddr calls, as objdump says.
std::uint64_t first_call(const std::string& path, std::uint64_t vaddr) {
  for (const auto& line : disassemble(path, vaddr))
    if (line.text.starts_with("call"))
      return std::stoull(line.text.substr(line.text.find_first_of(' ')), nullptr, 16);
  return 0;
}

std::vector<ProbeSite> sites_at(const AttachPlan& plan, ProbePoint point) {
  auto sites = plan.sites;
  std::erase_if(sites, [&](const ProbeSite& site) { return site.point != point; });
  return sites;
}

// What binutils say where the functions of these roles are entered.
std::vector<ProbeSite> expected_entries(const std::string& path, TlsLibrary library,
                                        std::initializer_list<TlsRole> roles) {
  const auto symbols = readelf_functions(path, "--dyn-syms");
  std::vector<ProbeSite> sites;
  for (const TlsRole role : roles) {
    std::uint64_t vaddr = 0;
    if (role == TlsRole::kSslReadInner) {
      vaddr = first_call(path, symbols.at("SSL_read_ex").vaddr);
      EXPECT_EQ(vaddr, first_call(path, symbols.at("SSL_read").vaddr));
    } else if (role == TlsRole::kSslWriteInner) {
      vaddr = first_call(path, symbols.at("SSL_write_ex").vaddr);
      EXPECT_EQ(vaddr, first_call(path, symbols.at("SSL_write").vaddr));
    } else if (symbols.contains(std::string(function_name(role)))) {
      vaddr = symbols.at(std::string(function_name(role))).vaddr;
    } else {
      continue;
    }
    const auto entry = readelf_offset(path, cheap_vaddr(path, vaddr));
    sites.push_back({library, role, ProbePoint::kEntry, entry});
  }
  return sites;
}

// One place for SSL_read and SSL_read_ex, one for SSL_write and SSL_write_ex.
TEST(Plan, OfOpenSslProbesWhatItsFunctionsShare) {
  const auto plan = plan_of(kLibSsl);
  EXPECT_EQ(plan.verdict, TlsVerdict::kReadable);
  const auto expected =
      expected_entries(kLibSsl, TlsLibrary::kOpenSsl,
                       {TlsRole::kSslReadInner, TlsRole::kSslWriteInner, TlsRole::kSslFree,
                        TlsRole::kSslHandshake, TlsRole::kSslAccepts, TlsRole::kSslConnects});
  EXPECT_EQ(expected.size(), 6u);
  EXPECT_THAT(sites_at(plan, ProbePoint::kEntry), UnorderedElementsAreArray(expected));
  EXPECT_THAT(sites_at(plan, ProbePoint::kReturn),
              AllOf(Not(IsEmpty()), Each(Field(&ProbeSite::role, TlsRole::kSslReadInner))));
  EXPECT_EQ(plan.build_id.size(), 40u);
}

// A probe on another kind of instruction costs a second trap.
TEST(Plan, OfOpenSslHasOnlyCheapPlaces) {
  for (const auto& site : sites_at(plan_of(kLibSsl), ProbePoint::kEntry)) {
    const auto lines = disassemble(kLibSsl, site.file_offset);  // its code is loaded where it lies
    ASSERT_FALSE(lines.empty());
    EXPECT_THAT(lines.front().text,
                testing::AnyOf(testing::StartsWith("push"), testing::StartsWith("j")));
  }
}

TEST(Plan, OfAProgramWithItsOwnOpenSslIsThatOfTheLibrary) {
  if (readelf_functions(kNode, "--dyn-syms").count("SSL_read") == 0)
    GTEST_SKIP() << kNode << " is not a build that exports its OpenSSL";
  const auto plan = plan_of(kNode);
  EXPECT_EQ(plan.verdict, TlsVerdict::kReadable);
  // Compiled into one, so there is nothing behind them; static code needs its own entries.
  EXPECT_THAT(sites_at(plan, ProbePoint::kEntry),
              UnorderedElementsAreArray(
                  expected_entries(kNode, TlsLibrary::kOpenSsl,
                                   {TlsRole::kSslRead, TlsRole::kSslReadEx, TlsRole::kSslWrite,
                                    TlsRole::kSslWriteEx, TlsRole::kSslFree, TlsRole::kSslHandshake,
                                    TlsRole::kSslAccepts, TlsRole::kSslConnects})));
}

TEST(Plan, OfGnuTlsProbesEachWriteOnce) {
  if (!std::filesystem::exists(kLibGnuTls)) GTEST_SKIP() << "GnuTLS is not installed";
  const auto plan = plan_of(kLibGnuTls);
  EXPECT_EQ(plan.verdict, TlsVerdict::kReadable);
  // gnutls_record_send is a jump to gnutls_record_send2.
  EXPECT_THAT(sites_at(plan, ProbePoint::kEntry),
              UnorderedElementsAreArray(expected_entries(
                  kLibGnuTls, TlsLibrary::kGnuTls,
                  {TlsRole::kGnuTlsReceive, TlsRole::kGnuTlsReceiveSequence, TlsRole::kGnuTlsSend2,
                   TlsRole::kGnuTlsHandshake, TlsRole::kGnuTlsDeinit})));
}

TEST(Plan, WithoutSectionHeadersIsTheSame) {
  for (const std::string path : {kLibSsl, kLibGnuTls}) {
    auto copy = MemoryFile::copy_of(path);
    copy.drop_sections();
    EXPECT_EQ(plan_attachment(copy.fd()).sites, plan_of(path).sites);
  }
}

// Renames a symbol in the string table of a copy: same length, another name.
void rename(MemoryFile& file, std::string_view from, std::string_view to) {
  ASSERT_EQ(from.size(), to.size());
  auto image = ElfImage::open(file.fd());
  ASSERT_TRUE(image);
  const Section* const table = image->section_of_type(SHT_DYNSYM);
  ASSERT_NE(table, nullptr);
  const std::string_view names[] = {from};
  const auto found =
      find_names(image->reader(), table->strings_offset, table->strings_bytes, names);
  ASSERT_TRUE(found && !found->empty());
  for (const auto& name : *found)
    file.write(table->strings_offset + name.offset, to);
}

TEST(Plan, HasWhatIsThereWhenSymbolsAreMissing) {
  auto copy = MemoryFile::copy_of(kLibSsl);
  rename(copy, "SSL_read_ex", "ssl_read_ex");
  rename(copy, "SSL_write_ex", "ssl_write_ex");
  rename(copy, "SSL_free", "ssl_free");
  const auto plan = plan_attachment(copy.fd());
  EXPECT_EQ(plan.verdict, TlsVerdict::kReadable);
  EXPECT_EQ(sites_at(plan, ProbePoint::kEntry).size(), 5u);  // with both beginnings
  EXPECT_FALSE(sites_at(plan, ProbePoint::kReturn).empty());
}

TEST(Plan, WithNothingButFreeIsNoPlan) {
  auto copy = MemoryFile::copy_of(kLibSsl);
  for (const auto& [from, to] :
       {std::pair{"SSL_read_ex", "ssl_read_ex"}, std::pair{"SSL_write_ex", "ssl_write_ex"},
        std::pair{"SSL_read", "ssl_read"}, std::pair{"SSL_write", "ssl_write"}})
    rename(copy, from, to);
  const auto plan = plan_attachment(copy.fd());
  EXPECT_EQ(plan.verdict, TlsVerdict::kNoLibrary);
  EXPECT_THAT(plan.sites, IsEmpty());
}

TEST(Plan, TellsBoringSslByWhatOnlyItHas) {
  auto copy = MemoryFile::copy_of(kLibSsl);
  // Of the same length as the name that only BoringSSL has.
  rename(copy, "SSL_CTX_set_verify_depth", std::string("SSL_CTX_set_custom_verif"));
  EXPECT_THAT(plan_attachment(copy.fd()).sites,
              Each(Field(&ProbeSite::library, TlsLibrary::kOpenSsl)));
  rename(copy, "SSL_CTX_set_session_id_context",
         std::string("SSL_CTX_set_custom_verify\0oooo", 30));
  EXPECT_THAT(plan_attachment(copy.fd()).sites,
              Each(Field(&ProbeSite::library, TlsLibrary::kBoringSsl)));
}

TEST(Verdict, OfOtherLibrariesSaysWhich) {
  for (const auto& [name, verdict] : {std::pair{"mbedtls_ssl_read", TlsVerdict::kMbedTls},
                                      {"wolfSSL_read", TlsVerdict::kWolfSsl},
                                      {"s2n_recv", TlsVerdict::kS2n},
                                      {"SSL_ImportFD", TlsVerdict::kNss},
                                      {"JNI_CreateJavaVM", TlsVerdict::kJvm}}) {
    MemoryFile file;
    write_synthetic_elf(file, 2, 0);
    const auto strings_at =
        file.get<Elf64_Shdr>(file.get<Elf64_Ehdr>(0).e_shoff + 3 * sizeof(Elf64_Shdr)).sh_offset;
    file.write(strings_at + 1, std::string(name) + '\0');
    const auto plan = plan_attachment(file.fd());
    EXPECT_EQ(plan.verdict, verdict) << name;
    EXPECT_THAT(plan.sites, IsEmpty());
  }
}

TEST(Verdict, OfAStrippedProgramIsToldByItsConstants) {
  for (const auto& [text, verdict] :
       {std::pair{std::string("../ssl/ssl_lib.c\0", 17), TlsVerdict::kOpenSslStripped},
        {std::string("src/ssl/ssl_lib.cc\0", 19), TlsVerdict::kBoringSslStripped},
        {std::string("/registry/src/rustls-0.23.5/src/conn.rs"), TlsVerdict::kRustls},
        {std::string("ssl/ssl_lib.custom\0", 19), TlsVerdict::kNoLibrary}}) {
    MemoryFile file;
    write_synthetic_elf(file, 2, 0);
    file.write(0x800, text);
    EXPECT_EQ(plan_attachment(file.fd()).verdict, verdict) << text;
  }
}

// A Rust program linked statically, as musl targets are, has neither interpreter nor fixed place.
TEST(Verdict, OfAStaticProgramThatLoadsAnywhereIsTold) {
  MemoryFile file;
  write_synthetic_elf(file, 2, 0);
  auto header = file.get<Elf64_Ehdr>(0);
  header.e_type = ET_DYN;
  header.e_phnum = 2;
  file.put(0, header);
  file.write(0x900, "/rustls-0.23");
  EXPECT_EQ(plan_attachment(file.fd()).verdict, TlsVerdict::kNoLibrary);  // a library's constants
  EXPECT_EQ(plan_attachment(file.fd(), {.thorough = true}).verdict, TlsVerdict::kRustls);
  constexpr std::uint64_t kDynamicAt = 0xa00;
  Elf64_Phdr dynamic{};
  dynamic.p_type = PT_DYNAMIC;
  dynamic.p_offset = kDynamicAt;
  dynamic.p_filesz = 2 * sizeof(Elf64_Dyn);
  file.put(sizeof header + sizeof dynamic, dynamic);
  file.put(kDynamicAt, Elf64_Dyn{.d_tag = DT_FLAGS_1, .d_un = {.d_val = DF_1_PIE}});
  EXPECT_EQ(plan_attachment(file.fd()).verdict, TlsVerdict::kRustls);
}

TEST(Verdict, OfFilesWithoutTlsIsPlain) {
  EXPECT_EQ(plan_of("/bin/true").verdict, TlsVerdict::kNoLibrary);
  EXPECT_EQ(plan_of("/etc/passwd").verdict, TlsVerdict::kNotElf);
  EXPECT_EQ(plan_of("/").verdict, TlsVerdict::kNotElf);
  EXPECT_EQ(plan_of("/dev/zero").verdict, TlsVerdict::kNotElf);
  auto other = MemoryFile::copy_of(kLibSsl);
  other.put<Elf64_Half>(offsetof(Elf64_Ehdr, e_machine), EM_RISCV);
  EXPECT_EQ(plan_attachment(other.fd()).verdict, TlsVerdict::kUnknownMachine);
  EXPECT_EQ(plan_attachment(other.fd(), {.bytes = 10}).verdict, TlsVerdict::kOverLimit);
}

TEST(Verdict, ThatTellsMoreStandsForAProcess) {
  EXPECT_EQ(more_telling(TlsVerdict::kNoLibrary, TlsVerdict::kJvm), TlsVerdict::kJvm);
  EXPECT_EQ(more_telling(TlsVerdict::kJvm, TlsVerdict::kReadable), TlsVerdict::kReadable);
  EXPECT_EQ(more_telling(TlsVerdict::kRustls, TlsVerdict::kNoLibrary), TlsVerdict::kRustls);
}

struct GoBuildForm {
  const char* environment;
  const char* arguments;
};
class GoPlan : public testing::TestWithParam<GoBuildForm> {};
INSTANTIATE_TEST_SUITE_P(
    Built, GoPlan,
    testing::Values(GoBuildForm{"CGO_ENABLED=0", "-ldflags='-s -w'"},
                    GoBuildForm{"CGO_ENABLED=0", "-buildmode=pie -ldflags='-s -w'"},
                    GoBuildForm{"CGO_ENABLED=0 GOARCH=arm64", "-ldflags='-s -w'"}));

TEST_P(GoPlan, HasOneEntryAWriteAndTheReturnsOfRead) {
  const TemporaryFolder folder;
  const auto path = build_go(folder, "program", GetParam().environment, GetParam().arguments);
  if (!path) GTEST_SKIP() << "no Go toolchain";
  for (const bool sections : {true, false}) {
    auto copy = MemoryFile::copy_of(*path);
    if (!sections) copy.drop_sections();
    const auto plan = plan_attachment(copy.fd());
    ASSERT_EQ(plan.verdict, TlsVerdict::kReadable) << sentence(plan.verdict);
    const auto count = [&](TlsRole role, ProbePoint point) {
      return std::ranges::count_if(
          plan.sites, [&](const auto& s) { return s.role == role && s.point == point; });
    };
    EXPECT_EQ(count(TlsRole::kGoRead, ProbePoint::kEntry), 1);
    EXPECT_GE(count(TlsRole::kGoRead, ProbePoint::kReturn), 1);
    EXPECT_EQ(count(TlsRole::kGoWrite, ProbePoint::kEntry), 1);
    EXPECT_EQ(count(TlsRole::kGoWrite, ProbePoint::kReturn), 0);
    EXPECT_EQ(count(TlsRole::kGoClientHandshake, ProbePoint::kEntry), 1);
    EXPECT_THAT(plan.sites, Each(Field(&ProbeSite::library, TlsLibrary::kGo)));
    EXPECT_THAT(plan.go_version, testing::StartsWith("go1."));
  }
}

}  // namespace
}  // namespace exa
