// Text of at most Capacity bytes inside the object: trivially copyable, never allocates. Longer
// text is cut and remembers that it was. Bytes behind the text are zero, so that equal text is
// equal memory.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace exa {

template <std::size_t Capacity>
class InlineString {
  static_assert(Capacity < 255);

 public:
  static constexpr std::size_t kCapacity = Capacity;
  constexpr InlineString() = default;
  constexpr explicit InlineString(std::string_view text) { assign(text); }
  constexpr void assign(std::string_view text) {
    size_ = static_cast<std::uint8_t>(std::min(text.size(), Capacity));
    cut_ = text.size() > Capacity;
    bytes_ = {};
    std::copy_n(text.begin(), size_, bytes_.begin());
  }
  // Writes the text in place: write(char*) puts at most Capacity bytes there and returns how many.
  template <typename Write>
  constexpr void assign_by(Write write) {
    bytes_ = {};
    size_ = static_cast<std::uint8_t>(write(bytes_.data()));
    cut_ = false;
  }
  [[nodiscard]] constexpr std::string_view view() const { return {bytes_.data(), size_}; }
  [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
  [[nodiscard]] constexpr bool cut() const { return cut_; }

  friend constexpr bool operator==(const InlineString& a, const InlineString& b) {
    return a.size_ == b.size_ && a.bytes_ == b.bytes_;
  }

 private:
  std::array<char, Capacity> bytes_{};
  std::uint8_t size_ = 0;
  bool cut_ = false;
};

}  // namespace exa
