// The default of a setting, as the reference and the manual show it.
#pragma once

#include <string>

#include "agent/config/setting.h"

namespace exa::testing {

inline std::string default_of(const Setting& setting) {
  std::string text;
  for (const auto& entry : setting.print(Config{}))
    text += (text.empty() ? "" : ", ") + (entry.key.empty() ? "" : entry.key + ": ") + entry.value;
  return text;
}

}  // namespace exa::testing
