// Go programs built in several ways, compared with what the Go tools say about them.
#include "agent/discovery/elf/go_functions.h"

#include <gmock/gmock.h>

#include "agent/discovery/elf/dynamic.h"
#include "agent/discovery/elf/go_build.h"
#include "agent/discovery/elf/machine_code.h"
#include "tests/support/elf_samples.h"
#include "tests/support/go_programs.h"

namespace exa {
namespace {

using namespace test;

constexpr std::array<std::string_view, 3> kNames = {"crypto/tls.(*Conn).Read",
                                                    "crypto/tls.(*Conn).Write", "main.nowhere"};

// One way to build a Go program; its twin has the same code and symbols for the Go tools to read.
struct Build {
  const char* name;
  const char* environment;
  const char* arguments;
  bool stripped = false;
};
void PrintTo(const Build& build, std::ostream* out) {
  *out << build.name;
}

constexpr Build kBuilds[] = {
    {"plain", "CGO_ENABLED=0", ""},
    {"stripped", "CGO_ENABLED=0", "-ldflags='-s -w'", true},
    {"pie", "CGO_ENABLED=0", "-buildmode=pie"},
    {"pie_stripped", "CGO_ENABLED=0", "-buildmode=pie -ldflags='-s -w'", true},
    {"external", "CGO_ENABLED=1", "-ldflags='-linkmode=external'"},
    {"external_pie", "CGO_ENABLED=1", "-buildmode=pie -ldflags='-linkmode=external'"},
    {"arm64", "CGO_ENABLED=0 GOARCH=arm64", ""},
    {"arm64_pie", "CGO_ENABLED=0 GOARCH=arm64", "-buildmode=pie"},
};

struct OracleFunction {
  std::uint64_t vaddr = 0;
  std::vector<std::uint32_t> returns;
};

// Address by go tool nm, return instructions by go tool objdump.
std::optional<OracleFunction> ask_go_tools(const std::string& path, std::string_view name) {
  const auto symbols = output_of("go tool nm " + path);
  if (!symbols) return std::nullopt;
  OracleFunction function;
  std::istringstream lines(*symbols);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string address, type, found;
    words >> address >> type >> found;
    if (found == name) function.vaddr = std::stoull(address, nullptr, 16);
  }
  std::string pattern;
  for (const char c : name) {
    if (std::string_view("().*").contains(c)) pattern += '\\';
    pattern += c;
  }
  const auto code = output_of("go tool objdump -s '^" + pattern + "$' " + path);
  if (!code) return std::nullopt;
  std::istringstream instructions(*code);
  for (std::string line; std::getline(instructions, line);) {
    std::istringstream words(line);
    std::string place, address, bytes, mnemonic;
    words >> place >> address >> bytes >> mnemonic;
    if (mnemonic == "RET")
      function.returns.push_back(
          static_cast<std::uint32_t>(std::stoull(address, nullptr, 16) - function.vaddr));
  }
  return function;
}

class GoPrograms : public testing::TestWithParam<Build> {
 protected:
  void SetUp() override {
    // One build serves all tests of its kind.
    static const TemporaryFolder folder;
    static std::map<std::string, std::optional<std::string>> programs;
    const std::string name = GetParam().name;
    if (!programs.contains(name))
      programs[name] = build_go(folder, name, GetParam().environment, GetParam().arguments);
    const auto& built = programs[name];
    if (!built) GTEST_SKIP() << "no Go toolchain that builds " << GetParam().name;
    path_ = *built;
  }

  void expect_same_as_go_tools(ElfImage& image) {
    const auto found = find_go_functions(image, kNames);
    ASSERT_TRUE(found) << sentence(found.error());
    ASSERT_EQ(found->size(), 2u);
    for (const auto& function : *found) {
      std::vector<std::byte> code(function.size_bytes);
      ASSERT_TRUE(image.reader().read(function.file_offset, code));
      EXPECT_TRUE(begins_with_stack_check(image.machine(), code));
      const auto returns = find_returns(image.machine(), code);
      ASSERT_TRUE(returns) << sentence(returns.error());
      EXPECT_FALSE(returns->empty());
      if (GetParam().stripped) continue;  // the Go tools cannot find it then
      const auto oracle = ask_go_tools(path_, kNames[function.wanted]);
      ASSERT_TRUE(oracle);
      EXPECT_EQ(function.vaddr, oracle->vaddr);
      EXPECT_EQ(function.file_offset, readelf_offset(path_, oracle->vaddr));
      EXPECT_EQ(*returns, oracle->returns);
    }
  }

  // The Go tools are slow, and the limits of an image run from when it was opened.
  static constexpr ReadLimits kPatient{.duration = std::chrono::minutes(5)};
  std::string path_;
};
INSTANTIATE_TEST_SUITE_P(Built, GoPrograms, testing::ValuesIn(kBuilds),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(GoPrograms, HaveTheFunctionsThatTheGoToolsSee) {
  const auto file = open_file(path_);
  auto image = ElfImage::open(file.get(), kPatient);
  ASSERT_TRUE(image) << sentence(image.error());
  expect_same_as_go_tools(*image);
}

TEST_P(GoPrograms, HaveThemWithoutSectionHeadersToo) {
  auto copy = MemoryFile::copy_of(path_);
  copy.drop_sections();
  auto image = ElfImage::open(copy.fd(), kPatient);
  ASSERT_TRUE(image) << sentence(image.error());
  ASSERT_TRUE(image->sections().empty());
  expect_same_as_go_tools(*image);
}

// Some linkers leave the words that a relocation will fill empty; here they are emptied afterwards.
class MovableGoPrograms : public GoPrograms {};
INSTANTIATE_TEST_SUITE_P(Built, MovableGoPrograms,
                         testing::Values(kBuilds[2], kBuilds[3], kBuilds[5], kBuilds[7]),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(MovableGoPrograms, HaveThemWhenOnlyRelocationsKnowAddresses) {
  auto copy = MemoryFile::copy_of(path_);
  std::size_t emptied = 0;
  {
    auto image = ElfImage::open(copy.fd());
    ASSERT_TRUE(image);
    const auto dynamic = read_dynamic(*image);
    ASSERT_TRUE(dynamic && dynamic->relocations);
    const auto end = dynamic->relocations->offset + dynamic->relocations->bytes;
    for (auto at = dynamic->relocations->offset; at < end; at += sizeof(Elf64_Rela)) {
      const auto entry = copy.get<Elf64_Rela>(at);
      if (entry.r_addend == 0) continue;
      const auto place = image->file_offset(entry.r_offset, 8);
      if (!place) continue;
      copy.put<std::uint64_t>(*place, 0);
      ++emptied;
    }
  }
  ASSERT_GT(emptied, 1000u);
  auto image = ElfImage::open(copy.fd(), kPatient);
  ASSERT_TRUE(image);
  expect_same_as_go_tools(*image);
}

TEST_P(GoPrograms, TellTheirRelease) {
  const auto release = output_of("go env GOVERSION");
  ASSERT_TRUE(release);
  auto copy = MemoryFile::copy_of(path_);
  for (const bool sections : {true, false}) {
    if (!sections) copy.drop_sections();
    auto image = ElfImage::open(copy.fd());
    ASSERT_TRUE(image);
    const auto build = read_go_build(*image);
    ASSERT_TRUE(build) << sentence(build.error());
    EXPECT_EQ(build->version + "\n", *release);
    EXPECT_GE(build->minor, 20u);
    EXPECT_TRUE(passes_arguments_in_registers(*build, image->machine()));
  }
}

TEST(GoBuild, IsAbsentInAProgramOfC) {
  const auto file = open_file("/proc/self/exe");
  auto image = ElfImage::open(file.get());
  ASSERT_TRUE(image);
  const auto build = read_go_build(*image);
  ASSERT_FALSE(build);
  EXPECT_EQ(build.error(), ElfError::kAbsent);
}

// Before Go 1.18 the build information pointed at its strings.
TEST(GoBuild, OfGo117IsReadThroughItsPointers) {
  MemoryFile file;
  write_synthetic_elf(file, 1, 0);
  auto segment = file.get<Elf64_Phdr>(sizeof(Elf64_Ehdr));
  segment.p_flags = PF_R | PF_W;
  file.put(sizeof(Elf64_Ehdr), segment);
  constexpr std::uint64_t kBase = 0x400000;
  file.write(0x800, {"\xff Go buildinf:\x08\x00", 16});
  file.put<std::uint64_t>(0x810, kBase + 0x840);
  file.put<std::uint64_t>(0x840, kBase + 0x860);
  file.put<std::uint64_t>(0x848, 8);
  file.write(0x860, "go1.17.3");

  auto image = ElfImage::open(file.fd());
  ASSERT_TRUE(image);
  const auto build = read_go_build(*image);

  ASSERT_TRUE(build) << sentence(build.error());
  EXPECT_EQ(build->version, "go1.17.3");
  EXPECT_TRUE(passes_arguments_in_registers(*build, Machine::kX86_64));
  EXPECT_FALSE(passes_arguments_in_registers(*build, Machine::kAArch64));
}

std::vector<std::byte> bytes(std::initializer_list<unsigned> values) {
  std::vector<std::byte> result;
  for (const unsigned value : values)
    result.push_back(static_cast<std::byte>(value));
  return result;
}

TEST(MachineCode, FindsOnlyReturnsThatAreInstructions) {
  // mov eax, 0xc3c3c3c3; ret; add rsp, 8 ; ret 16; int3
  const auto code =
      bytes({0xb8, 0xc3, 0xc3, 0xc3, 0xc3, 0xc3, 0x48, 0x83, 0xc4, 0x08, 0xc2, 0x10, 0x00, 0xcc});
  EXPECT_THAT(find_returns(Machine::kX86_64, code).value(), testing::ElementsAre(5, 10));
}

TEST(MachineCode, IsRefusedWholeIfAnInstructionIsUnknownOrCut) {
  EXPECT_EQ(find_returns(Machine::kX86_64, bytes({0xc3, 0x06, 0xc3})).error(),
            ElfError::kUnknownCode);  // push es: not in 64-bit mode
  EXPECT_EQ(find_returns(Machine::kX86_64, bytes({0xc3, 0xb8, 0xc3})).error(),
            ElfError::kUnknownCode);
  EXPECT_EQ(find_returns(Machine::kAArch64, bytes({0xc0, 0x03, 0x5f})).error(),
            ElfError::kUnknownCode);
}

TEST(MachineCode, OfArmHasItsReturnsOnWords) {
  const auto code = bytes({0x1f, 0x20, 0x03, 0xd5, 0xc0, 0x03, 0x5f, 0xd6});
  EXPECT_THAT(find_returns(Machine::kAArch64, code).value(), testing::ElementsAre(4));
}

}  // namespace
}  // namespace exa
