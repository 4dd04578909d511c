// Hostile ELF files: the image, its symbols, its Go tables and its code.
//
// The first byte chooses what the rest is: a file, machine code, or patches (a 16-bit place and a
// 64-bit value each) on a small sound file, which reaches what random bytes hardly do.
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "agent/discovery/elf/control_flow.h"
#include "agent/discovery/elf/dynamic.h"
#include "agent/discovery/elf/machine_code.h"
#include "agent/discovery/elf/probe_place.h"
#include "agent/discovery/elf/symbols.h"
#include "agent/discovery/elf/unwind_table.h"
#include "agent/discovery/tls/attachment_planner.h"
#include "tests/support/synthetic_go.h"

namespace {

using namespace exa;

constexpr ReadLimits kLimits{.bytes = 16 << 20, .duration = std::chrono::milliseconds(500)};

void require(bool holds) {
  if (!holds) std::abort();
}

void examine(const test::MemoryFile& file) {
  const auto plan = plan_attachment(file.fd(), kLimits);
  require(plan.readable() == !plan.sites.empty());
  for (const auto& site : plan.sites)
    require(site.file_offset < file.size());
  if (auto image = ElfImage::open(file.fd(), kLimits)) {
    if (const auto dynamic = read_dynamic(*image)) require(dynamic->needed.size() <= kMaxNeeded);
    constexpr std::array<std::string_view, 2> kNames = {"function_of_a_long_namespace::function_1",
                                                        "main"};
    for (const auto& segment : image->segments())
      if (const auto around = function_around(*image, segment.vaddr))
        require(around->contains(segment.vaddr));
    if (const auto found = find_local(*image, kNames))
      for (const auto& symbol : *found)
        require(symbol.file_offset < file.size());
  }
}

void examine_code(Machine machine, std::span<const std::byte> code) {
  require(cheapest_offset(machine, code) <= code.size());
  if (const auto ways = find_ways_out(machine, code)) {
    for (const auto at : ways->returns)
      require(at < code.size());
    for (const auto jump : ways->jumps)
      require(jump < 0 || std::cmp_greater_equal(jump, code.size()));
  }
  for (const std::int64_t callee : {-64, 0, 64, 256})
    if (const auto calls = find_calls(machine, code, callee))
      for (const auto at : *calls)
        require(at > 0 && at < code.size());
  require(behind_stack_check(machine, code) <= code.size());
  (void)first_callee(machine, code, {Argument::kFirst, Argument::kFourth});
  (void)begins_with_stack_check(machine, code);
  if (const auto returns = find_returns(machine, code))
    for (const auto at : *returns)
      require(at < code.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned form = data[0] % 8;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (form == 0) {
    examine_code(Machine::kX86_64, std::as_bytes(std::span(rest)));
    examine_code(Machine::kAArch64, std::as_bytes(std::span(rest)));
    return 0;
  }
  static test::MemoryFile file;
  if (form == 1) {
    file.resize(0);
    file.write(0, rest);
  } else if (form < 5) {
    test::write_synthetic_go(file, static_cast<test::GoForm>(form - 2), "go1.22");
  } else {
    file.resize(0);
    test::write_synthetic_elf(file, 8, 0);
  }
  if (form != 1) {
    for (std::size_t at = 0; at + 10 <= rest.size() && at < 200; at += 10) {
      std::uint16_t place;
      std::uint64_t value;
      std::memcpy(&place, rest.data() + at, 2);
      std::memcpy(&value, rest.data() + at + 2, 8);
      file.put(place % (file.size() - 8), value);
    }
  }
  examine(file);
  return 0;
}
