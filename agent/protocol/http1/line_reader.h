// Walks over the lines of a head. A line ends with CRLF, or with a bare LF as servers tolerate; a
// NUL or a CR elsewhere is invalid, because two readers would disagree about it.
// Pure, no allocation; never reads past the bytes it was given.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace exa::http1 {

constexpr bool is_line_control(char c) {
  return c == '\r' || c == '\n' || c == '\0';
}

// Which of 16 bytes are at most a CR: a line's end is among these. Bit n for byte n.
inline std::uint32_t low_characters(const char* bytes) {
#if defined(__SSE2__)
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
  const __m128i highest = _mm_set1_epi8('\r');
  return static_cast<std::uint32_t>(
      _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(block, highest), block)));
#else
  std::uint32_t low = 0;
  for (unsigned i = 0; i < 16; ++i)
    low |= std::uint32_t{is_line_control(bytes[i])} << i;
  return low;
#endif
}

// The first NUL, CR or LF at or after position, or text.size().
inline std::size_t find_line_control(std::string_view text, std::size_t position) {
  for (; position + 16 <= text.size(); position += 16) {
    for (auto low = low_characters(text.data() + position); low != 0; low &= low - 1) {
      const auto at = position + static_cast<std::size_t>(std::countr_zero(low));
      if (is_line_control(text[at])) return at;
    }
  }
  while (position < text.size() && !is_line_control(text[position]))
    ++position;
  return position;
}

class LineReader {
 public:
  enum class Got { kLine, kIncomplete, kInvalid };

  explicit LineReader(std::string_view text) : text_(text) {}

  // On kIncomplete, line is what there is of it.
  Got next(std::string_view& line) {
    const auto end = find_control();
    line = {text_.data() + position_, end - position_};
    if (end == text_.size()) return Got::kIncomplete;
    const char control = text_[end];
    if (control == '\0') return Got::kInvalid;
    if (control == '\n') {
      position_ = end + 1;
      return Got::kLine;
    }
    if (end + 1 == text_.size()) return Got::kIncomplete;
    if (text_[end + 1] != '\n') return Got::kInvalid;
    position_ = end + 2;
    return Got::kLine;
  }

  // After kInvalid: the same line up to its LF, whatever is in it.
  Got next_odd(std::string_view& line) {
    const auto end = text_.find('\n', position_);
    line = text_.substr(position_, end - position_);
    if (end == text_.npos) return Got::kIncomplete;
    if (line.ends_with('\r')) line.remove_suffix(1);
    position_ = end + 1;
    return Got::kLine;
  }

  [[nodiscard]] std::size_t position() const { return position_; }
  // From the first byte of such a line on, whatever they are.
  [[nodiscard]] std::size_t bytes_from(std::string_view line) const {
    return static_cast<std::size_t>(text_.data() + text_.size() - line.data());
  }
  [[nodiscard]] bool at_end() const { return position_ == text_.size(); }
  [[nodiscard]] char peek() const { return text_[position_]; }

 private:
  static constexpr std::size_t kBlockBytes = 64;

  // The first NUL, CR or LF at or after the position, or the size of the text.
  std::size_t find_control() {
    for (;;) {
      for (; candidates_ != 0; candidates_ &= candidates_ - 1) {
        const auto at = block_ + static_cast<std::size_t>(std::countr_zero(candidates_));
        if (at >= position_ && is_line_control(text_[at])) return at;
      }
      if (next_block_ >= text_.size()) return text_.size();
      look_at_next_block();
    }
  }

  // Lines are short: one look finds the ends of some.
  void look_at_next_block() {
    block_ = next_block_;
    next_block_ += kBlockBytes;
    const auto* bytes = text_.data() + block_;
    const auto size = text_.size() - block_;
    if (size >= kBlockBytes) {
      for (unsigned i = 0; i < kBlockBytes; i += 16)
        candidates_ |= std::uint64_t{low_characters(bytes + i)} << i;
      return;
    }
    unsigned i = 0;
    for (; i + 16 <= size; i += 16)
      candidates_ |= std::uint64_t{low_characters(bytes + i)} << i;
    if (i == size) return;
    if (text_.size() >= 16) {  // the last 16 bytes, of which some were looked at before
      const auto rest = static_cast<unsigned>(size) - i;
      candidates_ |= std::uint64_t{low_characters(bytes + size - 16) >> (16 - rest)} << i;
      return;
    }
    for (; i < size; ++i)
      candidates_ |= std::uint64_t{is_line_control(bytes[i])} << i;
  }

  std::string_view text_;
  std::size_t position_ = 0;
  std::size_t block_ = 0;
  std::size_t next_block_ = 0;
  std::uint64_t candidates_ = 0;  // bytes of the block that may be a line's end
};

}  // namespace exa::http1
