#include "agent/discovery/tls/inner_functions.h"

#include <array>
#include <initializer_list>

#include "agent/discovery/elf/probe_place.h"

namespace exa {
namespace {

using enum Argument;

std::optional<std::uint64_t> callee_of(ElfImage& image, std::optional<std::uint64_t> function,
                                       std::initializer_list<Argument> untouched) {
  if (!function) return std::nullopt;
  const auto offset = image.code_offset(*function, kPrologueBytes);
  if (!offset) return std::nullopt;
  std::array<std::byte, kPrologueBytes> code;
  if (!image.reader().read(*offset, code)) return std::nullopt;
  const auto distance = first_callee(image.machine(), code, untouched);
  if (!distance) return std::nullopt;
  return *function + static_cast<std::uint64_t>(*distance);
}

std::optional<std::uint64_t> shared_callee(ElfImage& image, const PublicFunctions& functions,
                                           std::initializer_list<Argument> of_extended) {
  // The plain one takes an int, which it widens on the way.
  const auto plain = callee_of(image, functions.plain, {kFirst, kSecond});
  const auto extended = callee_of(image, functions.extended, of_extended);
  if (!plain || plain != extended) return std::nullopt;
  if (plain == callee_of(image, functions.peek, {kFirst, kSecond})) return std::nullopt;
  return image.code_offset(*plain, kPrologueBytes) ? plain : std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> find_inner_read(ElfImage& image, const PublicFunctions& functions) {
  return shared_callee(image, functions, {kFirst, kSecond, kThird, kFourth});
}

std::optional<std::uint64_t> find_inner_write(ElfImage& image, const PublicFunctions& functions) {
  return shared_callee(image, functions, {kFirst, kSecond, kThird});
}

}  // namespace exa
