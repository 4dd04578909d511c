// Prologues as compilers write them, byte by byte.
#include "agent/discovery/elf/probe_place.h"

#include <gtest/gtest.h>

#include <string_view>

namespace exa {
namespace {

using namespace std::string_view_literals;
using enum Argument;

std::span<const std::byte> bytes(std::string_view code) {
  return std::as_bytes(std::span(code));
}
std::uint32_t cheapest(std::string_view code) {
  return cheapest_offset(Machine::kX86_64, bytes(code));
}

constexpr auto kPush = "\x41\x55\x41\x54"sv;                     // push r13; push r12
constexpr auto kLandingPad = "\xf3\x0f\x1e\xfa\x41\x57"sv;       // endbr64; push r15
constexpr auto kTestFirst = "\x48\x85\xff\x0f\x84\x97\0\0\0"sv;  // test rdi,rdi; je
constexpr auto kStackFirst = "\x48\x83\xec\x18\x85\xd2\x78"sv;   // sub rsp,24; test edx,edx; js

TEST(CheapestOffset, StaysWhereTheFunctionBeginsCheaply) {
  EXPECT_EQ(cheapest(kPush), 0u);
}

TEST(CheapestOffset, StepsOverWhatChangesNothing) {
  EXPECT_EQ(cheapest(kLandingPad), 4u);
  EXPECT_EQ(cheapest(kTestFirst), 3u);
}

TEST(CheapestOffset, NeverGoesPastAChangeOfTheStackOrOfAnArgument) {
  EXPECT_EQ(cheapest(kStackFirst), 0u);
  EXPECT_EQ(cheapest("\x48\x89\xf7\x55"sv), 0u);  // mov rdi,rsi; push rbp
  EXPECT_EQ(cheapest("\x0f\x05\x55"sv), 0u);      // syscall; push rbp
}

TEST(CheapestOffset, OfUnknownCodeIsItsBeginning) {
  EXPECT_EQ(cheapest(""sv), 0u);
  EXPECT_EQ(cheapest("\x06\x06\x55"sv), 0u);
  EXPECT_EQ(cheapest("\xf3\x0f"sv), 0u);
  EXPECT_EQ(cheapest_offset(Machine::kAArch64, bytes(kLandingPad)), 0u);
}

// The kernel runs these in the process: prefixed jumps, far and indirect ones, LOOP, other pushes.
TEST(CheapestOffset, CountsOnlyWhatTheKernelCarriesOutItself) {
  for (const auto code : {"\xe2\x02\x55"sv, "\xff\xe0\x55"sv, "\x6a\x01\x55"sv, "\xff\x30\x55"sv,
                          "\x66\x55\x55"sv, "\xc3\x55"sv, "\x5d\x55"sv}) {
    std::string behind_a_test = "\x85\xd2";
    behind_a_test += code;
    EXPECT_EQ(cheapest(behind_a_test), 0u) << static_cast<int>(code[0]);
  }
}

TEST(BehindStackCheck, IsWhereAGoFunctionCannotBeginAnew) {
  const auto behind = [](std::string_view code) {
    return behind_stack_check(Machine::kX86_64, bytes(code));
  };
  EXPECT_EQ(behind("\x49\x3b\x66\x10\x76\x30\x55"sv), 6u);                       // small frame
  EXPECT_EQ(behind("\x49\x3b\x66\x10\x0f\x86\x30\x01\0\0\x55"sv), 10u);          // far jump
  EXPECT_EQ(behind("\x4c\x8d\x64\x24\x80\x4d\x3b\x66\x10\x76\x30\x55"sv), 11u);  // large frame
  EXPECT_EQ(behind("\x55\x48\x89\xe5"sv), 0u);                                   // no check
  EXPECT_EQ(behind("\x49\x3b\x66\x10"sv), 0u);                                   // cut off
}

std::optional<std::int64_t> callee(std::string_view code,
                                   std::initializer_list<Argument> untouched) {
  return first_callee(Machine::kX86_64, bytes(code), untouched);
}

TEST(FirstCallee, IsFoundWhereArgumentsArriveAsTheyCame) {
  // sub rsp,8; call +0x100
  constexpr auto kForward = "\x48\x83\xec\x08\xe8\x00\x01\x00\x00"sv;
  EXPECT_EQ(callee(kForward, {kFirst, kSecond, kThird, kFourth}), 9 + 0x100);
  // sub rsp,24; test edx,edx; js; mov rcx,rsp; movslq rdx,edx; call -0x20
  constexpr auto kWidens =
      "\x48\x83\xec\x18\x85\xd2\x78\x30\x48\x89\xe1\x48\x63\xd2\xe8\xe0\xff\xff\xff"sv;
  EXPECT_EQ(callee(kWidens, {kFirst, kSecond}), 19 - 0x20);
  EXPECT_EQ(callee(kWidens, {kFirst, kSecond, kThird}), std::nullopt);
  EXPECT_EQ(callee(kWidens, {kFirst, kSecond, kFourth}), std::nullopt);
  // A jump at the end of a function is a call.
  EXPECT_EQ(callee("\xe9\x10\x00\x00\x00"sv, {kFirst}), 5 + 0x10);
}

TEST(FirstCallee, IsNotGuessed) {
  EXPECT_EQ(callee("\x31\xff\xe8\x10\0\0\0"sv, {kFirst}), std::nullopt);       // xor edi,edi
  EXPECT_EQ(callee("\x48\x89\xc6\xe8\x10\0\0\0"sv, {kSecond}), std::nullopt);  // mov rsi,rax
  EXPECT_EQ(callee("\xff\xd0\xe8\x10\0\0\0"sv, {}), std::nullopt);             // call rax
  EXPECT_EQ(callee("\xc3\xe8\x10\0\0\0"sv, {}), std::nullopt);                 // ret
  EXPECT_EQ(callee("\x06\xe8\x10\0\0\0"sv, {}), std::nullopt);                 // no code
  EXPECT_EQ(callee("\xe8\x10\0"sv, {}), std::nullopt);                         // cut off
  EXPECT_EQ(first_callee(Machine::kAArch64, bytes("\xe8\x10\0\0\0"sv), {}), std::nullopt);
}

}  // namespace
}  // namespace exa
