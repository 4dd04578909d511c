// Where read functions of this machine's libraries return, compared with binutils; and code made to
// be hard, byte by byte.
#include "agent/discovery/tls/return_places.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <set>
#include <sstream>

#include "agent/discovery/elf/control_flow.h"
#include "agent/discovery/tls/attachment_planner.h"
#include "tests/support/elf_samples.h"

namespace exa {
namespace {

using namespace test;
using namespace std::string_view_literals;
using testing::ElementsAre;
using testing::IsEmpty;

struct Line {
  std::uint64_t vaddr;
  std::string text;  // mnemonic and operands
};
std::vector<Line> disassemble(const std::string& path, const std::string& range = "") {
  std::istringstream rows(
      output_of("objdump -d --no-show-raw-insn " + range + " " + path).value_or(""));
  std::vector<Line> lines;
  for (std::string row; std::getline(rows, row);)
    if (const auto colon = row.find(":\t"); colon != std::string::npos)
      lines.push_back({std::stoull(row.substr(0, colon), nullptr, 16), row.substr(colon + 2)});
  return lines;
}
std::uint64_t target_of(const std::string& text) {
  return std::stoull(text.substr(text.find_first_of(' ')), nullptr, 16);
}
bool is_jump(const std::string& text) {
  return text.starts_with("j") && text.find('*') == std::string::npos;
}

// Ranges of functions by their first address, as readelf prints the table for unwinding.
std::map<std::uint64_t, std::uint64_t> function_ranges(const std::string& path) {
  std::map<std::uint64_t, std::uint64_t> ranges;
  std::istringstream lines(output_of("readelf --debug-dump=frames " + path).value_or(""));
  for (std::string line; std::getline(lines, line);)
    if (const auto at = line.find("pc="); at != std::string::npos)
      ranges[std::stoull(line.substr(at + 3), nullptr, 16)] =
          std::stoull(line.substr(line.find("..", at) + 2), nullptr, 16);
  return ranges;
}

std::set<std::uint64_t> returns_by_binutils(const std::string& path, std::uint64_t function) {
  const auto ranges = function_ranges(path);
  std::set<std::uint64_t> returns;
  std::vector<std::uint64_t> parts{function};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto [begin, end] = *std::prev(ranges.upper_bound(parts[i]));
    std::ostringstream range;
    range << std::hex << "--start-address=0x" << begin << " --stop-address=0x" << end;
    for (const auto& [at, text] : disassemble(path, range.str())) {
      if (text.starts_with("ret")) returns.insert(readelf_offset(path, at));
      if (!is_jump(text)) continue;
      const auto part = std::prev(ranges.upper_bound(target_of(text)))->first;
      if (std::ranges::find(parts, part) == parts.end()) parts.push_back(part);
    }
  }
  return returns;
}

std::set<std::uint64_t> returns_in(const AttachPlan& plan, std::initializer_list<TlsRole> roles) {
  std::set<std::uint64_t> places;
  for (const auto& site : plan.sites)
    if (site.point == ProbePoint::kReturn && std::ranges::find(roles, site.role) != roles.end())
      places.insert(site.file_offset);
  return places;
}

// gnutls_record_recv ends in a jump to a function that has no symbol.
TEST(ReturnPlaces, OfGnuTlsAreThoseOfTheFunctionItEndsIn) {
  if (!std::filesystem::exists(kLibGnuTls)) GTEST_SKIP() << "GnuTLS is not installed";
  const auto symbols = readelf_functions(kLibGnuTls, "--dyn-syms");
  auto expected = returns_by_binutils(kLibGnuTls, symbols.at("gnutls_record_recv").vaddr);
  expected.merge(returns_by_binutils(kLibGnuTls, symbols.at("gnutls_record_recv_seq").vaddr));
  ASSERT_GT(expected.size(), 1u);
  EXPECT_EQ(returns_in(plan_attachment(open_file(kLibGnuTls).get()),
                       {TlsRole::kGnuTlsReceive, TlsRole::kGnuTlsReceiveSequence}),
            expected);
}

// What SSL_read and SSL_read_ex share ends in a jump that only the running program knows, so its
// result is seen behind each of its calls, that of the BIO of a connection among them.
TEST(ReturnPlaces, OfOpenSslLieBehindEveryCallOfWhatReads) {
  const auto symbols = readelf_functions(kLibSsl, "--dyn-syms");
  const auto lines = disassemble(kLibSsl);
  const auto inside_read = std::ranges::find_if(lines, [&](const Line& line) {
    return line.vaddr >= symbols.at("SSL_read").vaddr && line.text.starts_with("call");
  });
  ASSERT_NE(inside_read, lines.end());
  const auto inner = target_of(inside_read->text);
  std::set<std::uint64_t> expected;
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    if (!lines[i].text.starts_with("call ") || lines[i].text.find('*') != std::string::npos ||
        target_of(lines[i].text) != inner)
      continue;
    std::size_t behind = i + 1;
    while (lines[behind].text.starts_with("test") || lines[behind].text.starts_with("cmp"))
      ++behind;
    const bool cheap = is_jump(lines[behind].text) || lines[behind].text.starts_with("push");
    expected.insert(readelf_offset(kLibSsl, lines[cheap ? behind : i + 1].vaddr));
  }
  ASSERT_GE(expected.size(), 3u);
  EXPECT_EQ(returns_in(plan_attachment(open_file(kLibSsl).get()), {TlsRole::kSslReadInner}),
            expected);
}

TEST(ReturnPlaces, OfAProgramWithItsOwnLibraryAreItsReturnInstructions) {
  const auto symbols = readelf_functions(kNode, "--dyn-syms");
  if (symbols.count("SSL_read") == 0)
    GTEST_SKIP() << kNode << " is not a build that exports its OpenSSL";
  auto expected = returns_by_binutils(kNode, symbols.at("SSL_read").vaddr);
  expected.merge(returns_by_binutils(kNode, symbols.at("SSL_read_ex").vaddr));
  EXPECT_EQ(
      returns_in(plan_attachment(open_file(kNode).get()), {TlsRole::kSslRead, TlsRole::kSslReadEx}),
      expected);
}

ElfResult<WaysOut> ways_out(std::string_view code, Machine machine = Machine::kX86_64) {
  return find_ways_out(machine, std::as_bytes(std::span(code)));
}

TEST(WaysOut, AreReturnsAndJumpsToOtherCode) {
  // test edi,edi; je +1; ret; jmp -7 (inside); jne far
  const auto ways = ways_out("\x85\xff\x74\x01\xc3\xeb\xf9\x0f\x85\x00\x01\x00\x00"sv);
  ASSERT_TRUE(ways);
  EXPECT_THAT(ways->returns, ElementsAre(4));
  EXPECT_THAT(ways->jumps, ElementsAre(13 + 256));
}

TEST(WaysOut, ThroughTheTableOfASwitchStayInside) {
  EXPECT_TRUE(ways_out("\x48\x63\x04\x82\x48\x01\xd0\xff\xe0\xc3"sv));      // add rax,rdx; jmp rax
  EXPECT_TRUE(ways_out("\x48\x63\x04\x82\x48\x01\xd0\x3e\xff\xe0\xc3"sv));  // notrack
  EXPECT_TRUE(ways_out("\xff\x24\xc5\x00\x10\x40\x00\xc3"sv));              // jmp [rax*8+table]
}

// Where the function ends is known to the running program only: it is not to be probed.
TEST(WaysOut, ToWhereverAPointerLeadsAreUnknown) {
  EXPECT_FALSE(ways_out("\x48\x8b\x40\x38\xff\xe0\xc3"sv));          // mov rax,[rax+56]; jmp rax
  EXPECT_FALSE(ways_out("\xff\x60\x38\xc3"sv));                      // jmp [rax+56]
  EXPECT_FALSE(ways_out("\xff\x25\x00\x10\x00\x00\xc3"sv));          // jmp [rip+4096]
  EXPECT_FALSE(ways_out("\x48\x01\xd0\x90\x90\x90\xff\xe0\xc3"sv));  // add rax,rdx long before
  EXPECT_FALSE(ways_out("\x06\xc3"sv));                              // no instruction
}

std::string words(std::initializer_list<std::uint32_t> code) {
  return {reinterpret_cast<const char*>(code.begin()), code.size() * 4};
}

TEST(WaysOut, OfArmAreFoundByWord) {
  constexpr auto kArm = Machine::kAArch64;
  // cbz x0, +8; ret; retaa; b +256 words; b.eq -2 words
  const auto ways =
      ways_out(words({0xb4000040, 0xd65f03c0, 0xd65f0bff, 0x14000100, 0x54ffffc0}), kArm);
  ASSERT_TRUE(ways);
  EXPECT_THAT(ways->returns, ElementsAre(4, 8));
  EXPECT_THAT(ways->jumps, ElementsAre(12 + 1024));
  EXPECT_TRUE(ways_out(words({0x8b20c821, 0xd61f0020, 0xd65f03c0}), kArm));   // add x1,..; br x1
  EXPECT_FALSE(ways_out(words({0xf9401c21, 0xd61f0020, 0xd65f03c0}), kArm));  // ldr x1; br x1
  EXPECT_TRUE(ways_out(words({0xf9401c21, 0xd63f0020, 0xd65f03c0}), kArm));   // blr x1
}

TEST(Calls, ComeBackBehindThem) {
  const auto calls = [](std::string_view code, std::int64_t callee) {
    return find_calls(Machine::kX86_64, std::as_bytes(std::span(code)), callee);
  };
  constexpr auto kTwo = "\xe8\x0b\x10\x00\x00\x90\xe8\x05\x10\x00\x00\xc3"sv;
  ASSERT_TRUE(calls(kTwo, 0x1010));
  EXPECT_THAT(*calls(kTwo, 0x1010), ElementsAre(5, 11));
  EXPECT_THAT(*calls(kTwo, 0x2000), IsEmpty());
  EXPECT_FALSE(calls("\xe9\x0b\x10\x00\x00"sv, 0x1010));  // a jump does not come back
}

}  // namespace
}  // namespace exa
