#include "exporters/console/safe_text.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <cstdint>
#include <cwchar>

#include "exa/base/hex.h"
#include "exporters/encoding/utf8.h"

namespace exa {
namespace {

// Zero width and direction marks are no danger to the terminal, but they make one text look like
// another: U+200B..U+200F, U+2028..U+202E, U+2060..U+206F, U+FEFF.
bool deceives(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(sequence[i]); };
  if (sequence.size() == 2) return byte(0) == 0xc2 && byte(1) < 0xa0;  // C1 controls
  if (sequence.size() != 3) return false;
  if (byte(0) == 0xef) return byte(1) == 0xbb && byte(2) == 0xbf;
  if (byte(0) != 0xe2) return false;
  if (byte(1) == 0x80)
    return (byte(2) >= 0x8b && byte(2) <= 0x8f) || (byte(2) >= 0xa8 && byte(2) <= 0xae);
  return byte(1) == 0x81 && byte(2) >= 0xa0 && byte(2) <= 0xaf;
}

// The C library knows how wide characters are: two columns for those of East Asia, none for accents
// that join the one before. Holds the thread's locale, which every glibc since 2.35 has built in;
// without it each byte that begins a character takes one column.
class InUtf8 {
 public:
  InUtf8() : before_(kUtf8 != locale_t{} ? ::uselocale(kUtf8) : locale_t{}) {}
  ~InUtf8() {
    if (before_ != locale_t{}) ::uselocale(before_);
  }
  InUtf8(const InUtf8&) = delete;
  InUtf8& operator=(const InUtf8&) = delete;

  struct Character {
    std::string_view bytes;
    std::size_t columns;
  };
  // Takes the first one off the text, which is not empty.
  Character take_character(std::string_view& text) const {
    const auto bytes = text.substr(0, std::max<std::size_t>(utf8_sequence_bytes(text), 1));
    text.remove_prefix(bytes.size());
    wchar_t character = 0;
    std::mbstate_t state{};
    if (before_ == locale_t{} ||
        std::mbrtowc(&character, bytes.data(), bytes.size(), &state) > bytes.size())
      return {bytes, 1};
    const int columns = ::wcwidth(character);
    return {bytes, columns < 0 ? 1U : static_cast<std::size_t>(columns)};
  }

 private:
  static const locale_t kUtf8;
  locale_t before_;
};
const locale_t InUtf8::kUtf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", locale_t{});

}  // namespace

std::string terminal_safe(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_bytes(text);
    const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
    const auto lead = static_cast<std::uint8_t>(sequence[0]);
    if (length == 0 || lead < 0x20 || lead == 0x7f || deceives(sequence))
      for (const char c : sequence)
        append_escaped(safe, static_cast<std::uint8_t>(c));
    else
      safe += sequence;
    text.remove_prefix(sequence.size());
  }
  return safe;
}

std::size_t columns_of(std::string_view text) {
  const InUtf8 locale;
  std::size_t columns = 0;
  while (!text.empty())
    columns += locale.take_character(text).columns;
  return columns;
}

std::string fitted(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  const InUtf8 locale;
  std::string cut;
  std::size_t taken = 0;
  while (!text.empty()) {
    const auto character = locale.take_character(text);
    taken += character.columns;
    if (taken >= columns) break;
    cut += character.bytes;
  }
  return cut + "…";
}

}  // namespace exa
