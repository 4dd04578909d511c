#include "agent/discovery/tls/return_places.h"

#include <elf.h>

#include <algorithm>
#include <optional>
#include <set>

#include "agent/discovery/elf/control_flow.h"
#include "agent/discovery/elf/machine_code.h"
#include "agent/discovery/elf/probe_place.h"
#include "agent/discovery/elf/unwind_table.h"

namespace exa {
namespace {

constexpr std::size_t kMaxParts = 16;                    // functions that one may end in
constexpr std::size_t kMaxPlaces = 64;                   // of one function
constexpr std::uint64_t kMaxSearchedBytes = 8ull << 20;  // of code, for calls

using Places = std::vector<std::uint64_t>;

struct Code {
  CodeRange range;
  std::uint64_t file_offset = 0;
  std::vector<std::byte> bytes;
};

ElfResult<Code> code_of(ElfImage& image, const CodeRange& range) {
  if (range.size_bytes == 0 || range.size_bytes > kMaxFunctionBytes)
    return std::unexpected(ElfError::kTooMuch);
  const auto offset = image.code_offset(range.vaddr, range.size_bytes);
  if (!offset) return std::unexpected(ElfError::kMalformed);
  Code code{.range = range, .file_offset = *offset, .bytes = {}};
  code.bytes.resize(static_cast<std::size_t>(range.size_bytes));
  if (auto done = image.reader().read(*offset, code.bytes); !done)
    return std::unexpected(done.error());
  return code;
}

// The result stays where it is until the caller looks at it.
std::uint64_t cheap_behind_call(ElfImage& image, const Code& code, std::uint32_t at) {
  const auto behind = std::span(code.bytes).subspan(at);
  return code.file_offset + at + cheapest_offset(image.machine(), behind);
}

// Instructions that may call or jump to the function, by their five bytes alone: some are none.
ElfResult<std::vector<std::uint64_t>> find_likely_callers(ElfImage& image, std::uint64_t callee) {
  constexpr std::size_t kInstructionBytes = 5;
  constexpr std::byte kCall{0xe8}, kJump{0xe9};
  std::vector<std::uint64_t> found;
  for (const Segment& segment : image.segments()) {
    if (segment.type != PT_LOAD || (segment.flags & PF_X) == 0) continue;
    if (segment.file_bytes > kMaxSearchedBytes) return std::unexpected(ElfError::kTooMuch);
    std::vector<std::byte> bytes(static_cast<std::size_t>(segment.file_bytes));
    if (auto done = image.reader().read(segment.offset, bytes); !done)
      return std::unexpected(done.error());
    for (std::size_t at = 0; at + kInstructionBytes <= bytes.size(); ++at) {
      if (bytes[at] != kCall && bytes[at] != kJump) continue;
      const auto distance = load_at<std::int32_t>(bytes, at + 1);
      const auto here = segment.vaddr + at;
      if (here + kInstructionBytes + static_cast<std::uint64_t>(std::int64_t{distance}) != callee)
        continue;
      if (found.size() == kMaxPlaces) return std::unexpected(ElfError::kTooMuch);
      found.push_back(here);
    }
  }
  return found;
}

}  // namespace

ElfResult<Places> find_return_places(ElfImage& image, const FunctionSymbol& of) {
  std::vector<CodeRange> parts;
  const auto add = [&](std::uint64_t vaddr, std::uint64_t size_bytes) {
    for (const auto& part : parts)
      if (part.contains(vaddr)) return true;
    const auto around = function_around(image, vaddr);
    if (!around && size_bytes == 0) return false;
    parts.push_back(around ? *around : CodeRange{.vaddr = vaddr, .size_bytes = size_bytes});
    return parts.size() <= kMaxParts;
  };
  if (!add(of.vaddr, of.size_bytes)) return std::unexpected(ElfError::kAbsent);
  Places places;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto code = code_of(image, parts[i]);
    if (!code) return std::unexpected(code.error());
    const auto ways = find_ways_out(image.machine(), code->bytes);
    if (!ways) return std::unexpected(ways.error());
    for (const auto at : ways->returns)
      places.push_back(code->file_offset + at);
    for (const auto jump : ways->jumps)
      if (!add(code->range.vaddr + static_cast<std::uint64_t>(jump), 0))
        return std::unexpected(ElfError::kUnknownCode);
  }
  if (places.empty()) return std::unexpected(ElfError::kUnknownCode);
  if (places.size() > kMaxPlaces) return std::unexpected(ElfError::kTooMuch);
  return places;
}

ElfResult<Places> find_call_returns(ElfImage& image, std::uint64_t callee_vaddr) {
  if (image.machine() != Machine::kX86_64) return std::unexpected(ElfError::kUnknownMachine);
  const auto likely = find_likely_callers(image, callee_vaddr);
  if (!likely) return std::unexpected(likely.error());
  Places places;
  std::set<std::uint64_t> seen;  // first bytes of callers
  for (const auto caller : *likely) {
    const auto around = function_around(image, caller);
    if (!around) return std::unexpected(ElfError::kAbsent);
    if (!seen.insert(around->vaddr).second) continue;
    const auto code = code_of(image, *around);
    if (!code) return std::unexpected(code.error());
    const auto distance = static_cast<std::int64_t>(callee_vaddr - around->vaddr);
    const auto behind = find_calls(image.machine(), code->bytes, distance);
    if (!behind) return std::unexpected(behind.error());
    for (const auto at : *behind)
      places.push_back(cheap_behind_call(image, *code, at));
  }
  if (places.empty()) return std::unexpected(ElfError::kAbsent);
  return places;
}

}  // namespace exa
