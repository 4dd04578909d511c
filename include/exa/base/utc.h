// Times of the calendar as text, always in UTC. Pure.
#pragma once

#include <array>
#include <ctime>
#include <string>

namespace exa {

// form: as for strftime, of at most 39 characters when it is filled in. Nothing local is read: the
// pipeline may not open /etc/localtime.
inline std::string utc_text(std::time_t seconds, const char* form) {
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text;
  return {text.data(), std::strftime(text.data(), text.size(), form, &parts)};
}

}  // namespace exa
