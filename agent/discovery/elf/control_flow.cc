#include "agent/discovery/elf/control_flow.h"

#include <Zydis/Decoder.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "agent/discovery/elf/bounded_reader.h"
#include "agent/discovery/elf/machine_code.h"
#include "agent/discovery/elf/whole_register.h"

namespace exa {
namespace {

enum class Step : std::uint8_t { kOther, kReturn, kJump, kCall, kJumpAnywhere };

struct Instruction {
  Step step = Step::kOther;
  std::uint32_t at = 0;
  std::uint32_t length = 0;
  std::int64_t target = 0;  // of a jump or call: from the first byte of the code
};

// A switch adds its table's entry to the table's address right before the jump.
class TableJumps {
 public:
  void note_sum(int to) { sum_in_ = to, age_ = 0; }
  void note_other() { ++age_; }
  [[nodiscard]] bool goes_through(int from) const { return from == sum_in_ && age_ < 3; }

 private:
  int sum_in_ = -1;
  int age_ = 0;
};

// Walks x86 code; visit(Instruction). False: not understood.
template <typename Visit>
bool walk_x86(std::span<const std::byte> code, const Visit& visit) {
  ZydisDecoder decoder;
  if (!ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
    return false;
  TableJumps tables;
  for (std::size_t at = 0; at < code.size();) {
    ZydisDecodedInstruction what;
    std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code.data() + at, code.size() - at, &what,
                                             operands.data())))
      return false;
    Instruction instruction{.at = static_cast<std::uint32_t>(at), .length = what.length};
    const bool relative = what.raw.imm[0].is_relative != 0;
    if (relative)
      instruction.target = static_cast<std::int64_t>(at) + what.length + what.raw.imm[0].value.s;
    const auto& first = operands[0];
    switch (what.meta.category) {
      case ZYDIS_CATEGORY_RET:
        instruction.step = Step::kReturn;
        break;
      case ZYDIS_CATEGORY_COND_BR:
        instruction.step = Step::kJump;
        break;
      case ZYDIS_CATEGORY_CALL:
        if (relative) instruction.step = Step::kCall;
        break;
      case ZYDIS_CATEGORY_UNCOND_BR: {
        instruction.step = relative ? Step::kJump : Step::kJumpAnywhere;
        const bool table = first.type == ZYDIS_OPERAND_TYPE_MEMORY
                               ? first.mem.index != ZYDIS_REGISTER_NONE && first.mem.scale == 8
                               : first.type == ZYDIS_OPERAND_TYPE_REGISTER &&
                                     tables.goes_through(whole_register(first.reg.value));
        if (!relative && table) instruction.step = Step::kOther;
        break;
      }
      default:
        break;
    }
    if (what.mnemonic == ZYDIS_MNEMONIC_ADD && first.type == ZYDIS_OPERAND_TYPE_REGISTER)
      tables.note_sum(whole_register(first.reg.value));
    else
      tables.note_other();
    visit(instruction);
    at += what.length;
  }
  return true;
}

std::int64_t signed_field(std::uint32_t word, int low, int bits) {
  const auto field = static_cast<std::uint64_t>(word >> low) << (64 - bits);
  return static_cast<std::int64_t>(field) >> (64 - bits);
}

Instruction decode_arm(std::uint32_t word, std::uint32_t at, TableJumps& tables) {
  Instruction instruction{.at = at, .length = 4};
  const auto jump = [&](Step step, std::int64_t words) {
    instruction.step = step;
    instruction.target = std::int64_t{at} + words * 4;
  };
  if ((word & 0xfffff3ff) == 0xd65f03c0 || (word & 0xfffffbff) == 0xd65f0bff)
    instruction.step = Step::kReturn;  // RET X30, RETAA, RETAB
  else if ((word & 0x7c000000) == 0x14000000)
    jump((word >> 31) != 0 ? Step::kCall : Step::kJump, signed_field(word, 0, 26));  // B, BL
  else if ((word & 0xff000000) == 0x54000000 || (word & 0x7e000000) == 0x34000000)
    jump(Step::kJump, signed_field(word, 5, 19));  // B.cond, CBZ, CBNZ
  else if ((word & 0x7e000000) == 0x36000000)
    jump(Step::kJump, signed_field(word, 5, 14));  // TBZ, TBNZ
  else if ((word & 0xfe1f0000) == 0xd61f0000 &&    // BR, RET Xn, BRAA ...
           (word & 0x00600000) != 0x00200000 &&    // not BLR
           !tables.goes_through(static_cast<int>(word >> 5 & 31)))
    instruction.step = Step::kJumpAnywhere;
  // ADD of a register, shifted or extended.
  if ((word & 0xff200000) == 0x8b000000 || (word & 0xffe00000) == 0x8b200000)
    tables.note_sum(static_cast<int>(word & 31));
  else
    tables.note_other();
  return instruction;
}

template <typename Visit>
bool walk(Machine machine, std::span<const std::byte> code, const Visit& visit) {
  if (machine == Machine::kX86_64) return walk_x86(code, visit);
  if (machine != Machine::kAArch64 || code.size() % 4 != 0) return false;
  TableJumps tables;
  for (std::size_t at = 0; at < code.size(); at += 4)
    visit(decode_arm(load_at<std::uint32_t>(code, at), static_cast<std::uint32_t>(at), tables));
  return true;
}

}  // namespace

ElfResult<WaysOut> find_ways_out(Machine machine, std::span<const std::byte> code) {
  if (code.size() > kMaxFunctionBytes) return std::unexpected(ElfError::kTooMuch);
  WaysOut ways;
  bool known = true;
  const bool walked = walk(machine, code, [&](const Instruction& instruction) {
    const bool inside = instruction.target >= 0 && std::cmp_less(instruction.target, code.size());
    if (instruction.step == Step::kReturn) ways.returns.push_back(instruction.at);
    if (instruction.step == Step::kJump && !inside) ways.jumps.push_back(instruction.target);
    if (instruction.step == Step::kJumpAnywhere) known = false;
  });
  if (!walked || !known) return std::unexpected(ElfError::kUnknownCode);
  if (ways.returns.size() > kMaxReturns) return std::unexpected(ElfError::kTooMuch);
  std::ranges::sort(ways.jumps);
  const auto again = std::ranges::unique(ways.jumps);
  ways.jumps.erase(again.begin(), again.end());
  return ways;
}

ElfResult<std::vector<std::uint32_t>> find_calls(Machine machine, std::span<const std::byte> code,
                                                 std::int64_t callee) {
  if (code.size() > kMaxFunctionBytes) return std::unexpected(ElfError::kTooMuch);
  std::vector<std::uint32_t> behind;
  bool known = true;
  const bool walked = walk(machine, code, [&](const Instruction& instruction) {
    if (instruction.target != callee) return;
    if (instruction.step == Step::kCall) behind.push_back(instruction.at + instruction.length);
    if (instruction.step == Step::kJump) known = false;
  });
  if (!walked || !known) return std::unexpected(ElfError::kUnknownCode);
  if (!behind.empty() && behind.back() >= code.size()) behind.pop_back();  // it never comes back
  return behind;
}

}  // namespace exa
