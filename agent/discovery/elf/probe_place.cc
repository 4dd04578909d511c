#include "agent/discovery/elf/probe_place.h"

#include <Zydis/Decoder.h>
#include <Zydis/Register.h>

#include <algorithm>
#include <array>

#include "agent/discovery/elf/whole_register.h"

namespace exa {
namespace {

constexpr int kMaxInstructions = 24;
constexpr std::array kArgumentRegisters = {ZYDIS_REGISTER_RDI, ZYDIS_REGISTER_RSI,
                                           ZYDIS_REGISTER_RDX, ZYDIS_REGISTER_RCX};

struct Instruction {
  ZydisDecodedInstruction what;
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
  std::size_t at;

  [[nodiscard]] std::span<const ZydisDecodedOperand> all() const {
    return {operands.data(), what.operand_count};
  }
  [[nodiscard]] bool relative() const { return what.raw.imm[0].is_relative; }
  [[nodiscard]] std::int64_t target() const {
    return static_cast<std::int64_t>(at) + what.length + what.raw.imm[0].value.s;
  }
};

bool writes(const Instruction& instruction, ZydisRegister wanted) {
  return std::ranges::any_of(instruction.all(), [&](const ZydisDecodedOperand& operand) {
    return operand.type == ZYDIS_OPERAND_TYPE_REGISTER &&
           (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0 &&
           whole_register(operand.reg.value) == wanted;
  });
}

// One instruction after the other; stops with the code or with what is none.
class Walk {
 public:
  explicit Walk(std::span<const std::byte> code) : code_(code) {
    ready_ =
        ZYAN_SUCCESS(ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64));
  }
  bool next(Instruction& out) {
    if (!ready_ || at_ >= code_.size() || ++count_ > kMaxInstructions) return false;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder_, code_.data() + at_, code_.size() - at_,
                                             &out.what, out.operands.data())))
      return false;
    out.at = at_;
    at_ += out.what.length;
    return true;
  }

 private:
  std::span<const std::byte> code_;
  ZydisDecoder decoder_{};
  bool ready_ = false;
  std::size_t at_ = 0;
  int count_ = 0;
};

// What Linux carries out by itself at a uprobe, since 5.0: see branch_setup_xol_ops and
// push_setup_xol_ops of arch/x86/kernel/uprobes.c.
bool is_emulated(const Instruction& instruction) {
  const auto& what = instruction.what;
  if ((what.attributes & (ZYDIS_ATTRIB_HAS_OPERANDSIZE | ZYDIS_ATTRIB_HAS_ADDRESSSIZE |
                          ZYDIS_ATTRIB_HAS_SEGMENT)) != 0)
    return false;
  if (what.mnemonic == ZYDIS_MNEMONIC_PUSH)
    return what.opcode >= 0x50 && what.opcode <= 0x57 &&
           what.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT;
  if (what.meta.category == ZYDIS_CATEGORY_COND_BR)
    return instruction.relative() && (what.opcode & 0xf0) != 0xe0;  // not LOOP and JRCXZ
  if (what.mnemonic == ZYDIS_MNEMONIC_CALL || what.mnemonic == ZYDIS_MNEMONIC_JMP)
    return instruction.relative();
  return what.mnemonic == ZYDIS_MNEMONIC_NOP && what.opcode == 0x90 && what.length == 1;
}

bool is_harmless(const Instruction& instruction) {
  const auto mnemonic = instruction.what.mnemonic;
  return mnemonic == ZYDIS_MNEMONIC_ENDBR64 || mnemonic == ZYDIS_MNEMONIC_TEST ||
         mnemonic == ZYDIS_MNEMONIC_CMP;
}

}  // namespace

std::uint32_t cheapest_offset(Machine machine, std::span<const std::byte> code) {
  if (machine != Machine::kX86_64) return 0;
  Walk walk(code);
  for (Instruction instruction; walk.next(instruction);) {
    if (is_emulated(instruction)) return static_cast<std::uint32_t>(instruction.at);
    if (!is_harmless(instruction)) break;
  }
  return 0;
}

std::uint32_t behind_stack_check(Machine machine, std::span<const std::byte> code) {
  if (machine != Machine::kX86_64) return 0;
  Walk walk(code);
  for (Instruction instruction; walk.next(instruction);) {
    if (instruction.what.meta.category == ZYDIS_CATEGORY_COND_BR)
      return static_cast<std::uint32_t>(instruction.at) + instruction.what.length;
    // With a large frame R12 = SP - frame is what is compared.
    const bool frame =
        instruction.what.mnemonic == ZYDIS_MNEMONIC_LEA && writes(instruction, ZYDIS_REGISTER_R12);
    if (instruction.what.mnemonic != ZYDIS_MNEMONIC_CMP && !frame) return 0;
  }
  return 0;
}

std::optional<std::int64_t> first_callee(Machine machine, std::span<const std::byte> code,
                                         std::initializer_list<Argument> untouched) {
  if (machine != Machine::kX86_64) return std::nullopt;
  Walk walk(code);
  for (Instruction instruction; walk.next(instruction);) {
    switch (instruction.what.meta.category) {
      case ZYDIS_CATEGORY_CALL:
      case ZYDIS_CATEGORY_UNCOND_BR:
        if (instruction.relative()) return instruction.target();
        return std::nullopt;
      case ZYDIS_CATEGORY_RET:
      case ZYDIS_CATEGORY_SYSCALL:
      case ZYDIS_CATEGORY_INTERRUPT:
        return std::nullopt;
      default:
        break;
    }
    for (const Argument argument : untouched)
      if (writes(instruction, kArgumentRegisters[static_cast<std::size_t>(argument)]))
        return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace exa
