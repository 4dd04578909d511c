// Walks over the lines of a head. A line ends with CRLF, or with a bare LF as servers tolerate; a
// NUL or a CR elsewhere is invalid, because two readers would disagree about it.
// Pure, no allocation; never reads past the bytes it was given.
#pragma once

#include <cstddef>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace exa::http1 {

// The first NUL, CR or LF at or after position, or text.size().
inline std::size_t find_line_control(std::string_view text, std::size_t position) {
#if defined(__SSE2__)
  const __m128i highest = _mm_set1_epi8('\r');
  while (position + 16 <= text.size()) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + position));
    const auto low = static_cast<unsigned>(
        _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(block, highest), block)));
    for (auto candidates = low; candidates != 0; candidates &= candidates - 1) {
      const auto at = position + static_cast<std::size_t>(__builtin_ctz(candidates));
      const char c = text[at];
      if (c == '\r' || c == '\n' || c == '\0') return at;
    }
    position += 16;
  }
#endif
  for (; position < text.size(); ++position) {
    const char c = text[position];
    if (c == '\r' || c == '\n' || c == '\0') return position;
  }
  return text.size();
}

class LineReader {
 public:
  enum class Got { kLine, kIncomplete, kInvalid };

  explicit LineReader(std::string_view text) : text_(text) {}

  // On kIncomplete, line is what there is of it.
  Got next(std::string_view& line) {
    const auto end = find_line_control(text_, position_);
    line = text_.substr(position_, end - position_);
    if (end == text_.size()) return Got::kIncomplete;
    if (text_[end] == '\0') return Got::kInvalid;
    if (text_[end] == '\r') {
      if (end + 1 == text_.size()) return Got::kIncomplete;
      if (text_[end + 1] != '\n') return Got::kInvalid;
      position_ = end + 2;
    } else {
      position_ = end + 1;
    }
    return Got::kLine;
  }

  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] bool at_end() const { return position_ == text_.size(); }
  [[nodiscard]] char peek() const { return text_[position_]; }

 private:
  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace exa::http1
