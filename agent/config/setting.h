// Every setting in one table: a row is the YAML key, the flag, the parser, the printer and the
// sentence of the help. Adding a setting is adding a row.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/config.h"
#include "exa/base/result.h"

namespace exa {

enum class SettingShape : std::uint8_t { kScalar, kList, kMap };

// One value of a setting. key is used by maps only.
struct SettingEntry {
  std::string key;
  std::string value;
  bool operator==(const SettingEntry&) const = default;
};

struct SettingError {
  std::size_t entry = 0;  // which of the entries is wrong
  std::string text;
};
using SettingResult = std::expected<void, SettingError>;

struct Setting {
  std::string_view key;         // path in the YAML file, joined by dots
  std::string_view flag;        // "--window", empty: file only
  std::string_view value_name;  // "DURATION"
  SettingShape shape;
  bool secret;  // prints as ***
  std::string_view sentence;
  // Replaces the setting as a whole; the configuration is untouched on error.
  SettingResult (*apply)(Config&, std::span<const SettingEntry>);
  // Empty: not printed (a short form of other settings, or not set).
  std::vector<SettingEntry> (*print)(const Config&);
};

// In the order in which they are applied and printed: short forms stand before what they set.
std::span<const Setting> all_settings();

// Null if there is none.
const Setting* find_setting(std::string_view key);

// Keys of the settings in which two configurations differ.
std::vector<std::string_view> changed_settings(const Config& before, const Config& after);

// Names that may follow the prefix ("" or "targets.include") in a key.
std::vector<std::string_view> names_under(std::string_view prefix);

}  // namespace exa
