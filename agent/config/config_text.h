// Is a configuration file text at all? A file of NULs, as a crash leaves it, or of another encoding
// must not pass for an empty configuration: exclusions would vanish.
// Pure; any thread; work linear in the text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace exa {

struct TextProblem {
  std::size_t line = 1;
  std::size_t column = 1;  // in characters
  std::string text;
};

// The first of: nothing but blanks, NUL, another control character than tab and line ends, bytes
// that are no UTF-8. Whoever wants the defaults says so with "{}" or a comment: an empty file is
// more often one that was being written when it was read.
std::optional<TextProblem> problem_of_text(std::string_view text);

std::string_view without_byte_order_mark(std::string_view text);

}  // namespace exa
