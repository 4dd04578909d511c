// Reads the configuration file: strict keys, each problem with its line, column and key.
// Pure: text in, values out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/config/setting.h"

namespace exa {

inline constexpr std::size_t kMaxConfigFileBytes = 1u << 20;

struct YamlSetting {
  const Setting* setting = nullptr;
  std::vector<SettingEntry> entries;
  std::vector<std::string> places;  // "agent.yaml:3:5", one an entry
};

struct YamlReading {
  std::vector<YamlSetting> settings;
  std::vector<std::string> problems;  // "agent.yaml:3:5: targts: unknown key, did you mean ..."
};

YamlReading read_yaml(std::string_view file_name, std::string_view text);

}  // namespace exa
