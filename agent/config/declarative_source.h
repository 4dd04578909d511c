// A document of OpenTelemetry's declarative configuration, as its reader asks it: values with their
// variables substituted, and what becomes of them, each with its place. Owned by
// read_declarative().
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/declarative.h"

namespace exa {

class DeclarativeSource {
 public:
  using Node = YAML::Node;

  DeclarativeSource(std::string_view file_name, const Environment& environment)
      : file_name_(file_name), environment_(environment) {}

  // Reads the text, and calls back with its document.
  void parse(std::string_view text, const std::function<void(const Node& document)>& read);
  [[nodiscard]] DeclarativeReading result() && { return std::move(reading_); }

  // A plain value; empty ones are none, as are those that are not there. What stands there in
  // another shape is ignored with a warning, here and below: whoever wrote it relies on it.
  [[nodiscard]] std::optional<std::string> value(const Node& node);
  // True in any case of letters; neither true nor false is false, with a warning.
  [[nodiscard]] bool is_true(const Node& node);
  // Of a member of a map, where it is one.
  [[nodiscard]] std::optional<std::string> value_of(const Node& map, const char* name);
  // "a=b,c=d", with names and values that are text.
  [[nodiscard]] std::vector<SettingEntry> pairs(const Node& node);

  [[nodiscard]] bool has_map(const Node& node, const std::string& what);
  [[nodiscard]] bool has_list(const Node& node, const std::string& what);

  void put(std::string_view key, const Node& node, std::string text);
  // Replaces a list or map, by none if there are none.
  void put_entries(std::string_view key, const Node& node, std::vector<SettingEntry> entries);
  void put_milliseconds(std::string_view key, const Node& node);

  void warn(const Node& node, const std::string& text);  // that something is ignored
  void ignore(const Node& node, const std::string& what);
  // Names all members but those that are known.
  void ignore_others(const Node& node, const std::string& path,
                     std::initializer_list<std::string_view> known);
  void problem(const Node& node, const std::string& text);

 private:
  [[nodiscard]] std::string place(const YAML::Mark& mark) const;
  [[nodiscard]] std::string place(const Node& node) const;
  [[nodiscard]] bool is_text(const Node& node, const std::string& text);

  const std::string file_name_;
  const Environment& environment_;
  DeclarativeReading reading_;
};

// yaml-cpp throws when it is asked of what is not there.
inline bool is_map(const YAML::Node& node) {
  return node.IsDefined() && node.IsMap();
}

// The same name again: the later value counts.
void add_entry(std::vector<SettingEntry>& entries, SettingEntry entry);

}  // namespace exa
