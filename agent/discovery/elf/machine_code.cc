#include "agent/discovery/elf/machine_code.h"

#include <Zydis/Decoder.h>

#include <algorithm>
#include <array>

#include "agent/discovery/elf/bounded_reader.h"

namespace exa {
namespace {

constexpr std::uint32_t kArmReturn = 0xd65f03c0;     // RET X30
constexpr std::uint32_t kArmLoadLimit = 0xf9400b90;  // LDR X16, [X28, #16]

ElfResult<std::vector<std::uint32_t>> returns_of_x86(std::span<const std::byte> code) {
  ZydisDecoder decoder;
  if (!ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
    return std::unexpected(ElfError::kUnknownMachine);
  std::vector<std::uint32_t> returns;
  for (std::size_t at = 0; at < code.size();) {
    ZydisDecodedInstruction instruction;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, nullptr, code.data() + at,
                                                    code.size() - at, &instruction)) ||
        instruction.length == 0)
      return std::unexpected(ElfError::kUnknownCode);
    if (instruction.mnemonic == ZYDIS_MNEMONIC_RET) {
      if (returns.size() == kMaxReturns) return std::unexpected(ElfError::kTooMuch);
      returns.push_back(static_cast<std::uint32_t>(at));
    }
    at += instruction.length;
  }
  return returns;
}

ElfResult<std::vector<std::uint32_t>> returns_of_arm(std::span<const std::byte> code) {
  if (code.size() % 4 != 0) return std::unexpected(ElfError::kUnknownCode);
  std::vector<std::uint32_t> returns;
  for (std::size_t at = 0; at < code.size(); at += 4) {
    if (load_at<std::uint32_t>(code, at) != kArmReturn) continue;
    if (returns.size() == kMaxReturns) return std::unexpected(ElfError::kTooMuch);
    returns.push_back(static_cast<std::uint32_t>(at));
  }
  return returns;
}

}  // namespace

ElfResult<std::vector<std::uint32_t>> find_returns(Machine machine,
                                                   std::span<const std::byte> code) {
  if (code.size() > kMaxFunctionBytes) return std::unexpected(ElfError::kTooMuch);
  switch (machine) {
    case Machine::kX86_64:
      return returns_of_x86(code);
    case Machine::kAArch64:
      return returns_of_arm(code);
    case Machine::kOther:
      break;
  }
  return std::unexpected(ElfError::kUnknownMachine);
}

bool begins_with_stack_check(Machine machine, std::span<const std::byte> code) {
  using Bytes = std::array<std::uint8_t, 4>;
  // CMPQ 16(R14), SP; with a large frame the check is of R12; before Go 1.17 the goroutine is
  // loaded from thread-local storage.
  constexpr Bytes kSmall{0x49, 0x3b, 0x66, 0x10};
  constexpr Bytes kLarge{0x4d, 0x3b, 0x66, 0x10};
  constexpr Bytes kByThread{0x64, 0x48, 0x8b, 0x0c};
  const auto starts = code.first(std::min<std::size_t>(code.size(), 24));
  const auto has = [&](const auto& bytes) {
    return !std::ranges::search(starts, std::as_bytes(std::span(bytes))).empty();
  };
  switch (machine) {
    case Machine::kX86_64:
      return has(kSmall) || has(kLarge) || has(kByThread);
    case Machine::kAArch64:
      return has(std::array{kArmLoadLimit});
    case Machine::kOther:
      return false;
  }
  return false;
}

}  // namespace exa
