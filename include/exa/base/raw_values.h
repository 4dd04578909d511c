// Values as they lie in memory, one behind the other in a text: for a reader on the same machine.
// Any thread; put allocates.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace exa {

template <typename T>
void put_raw(std::string& text, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  text.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Off the text's front; nothing, if it is too short.
template <typename T>
std::optional<T> take_raw(std::string_view& text) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  if (text.size() < sizeof value) return std::nullopt;
  text.copy(reinterpret_cast<char*>(&value), sizeof value);
  text.remove_prefix(sizeof value);
  return value;
}

}  // namespace exa
