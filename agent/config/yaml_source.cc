#include "agent/config/yaml_source.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "agent/config/config_text.h"
#include "agent/config/value_text.h"
#include "agent/config/yaml_documents.h"

namespace exa {
namespace {

class YamlReader {
 public:
  explicit YamlReader(std::string_view file_name) : file_name_(file_name) {}

  YamlReading read(std::string_view text) {
    if (text.size() > kMaxConfigFileBytes) {
      reading_.problems.push_back(file_name_ + ": larger than 1MiB");
      return std::move(reading_);
    }
    if (const auto problem = problem_of_text(text)) {
      reading_.problems.push_back(file_name_ + ":" + std::to_string(problem->line) + ":" +
                                  std::to_string(problem->column) + ": " + problem->text);
      return std::move(reading_);
    }
    text = without_byte_order_mark(text);
    // yaml-cpp reports by exceptions; they end here.
    try {
      if (const auto second = second_document(std::string(text))) {
        reading_.problems.push_back(place(*second) + ": a second document; expected only one");
      } else if (const auto document = YAML::Load(std::string(text));
                 document.IsDefined() && !document.IsNull()) {
        read_section(document, "");
      }
    } catch (const YAML::Exception& error) {
      reading_.problems.push_back(place(error.mark) + ": " + error.msg);
    }
    return std::move(reading_);
  }

 private:
  static constexpr std::size_t kMaxProblems = 20;

  [[nodiscard]] std::string place(const YAML::Mark& mark) const {
    if (mark.is_null()) return file_name_;
    return file_name_ + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
  }

  void problem(const YAML::Node& node, std::string_view key, std::string_view text) {
    if (reading_.problems.size() >= kMaxProblems) return;
    reading_.problems.push_back(place(node.Mark()) + ": " +
                                (key.empty() ? "" : std::string(key) + ": ") + std::string(text));
  }

  void read_section(const YAML::Node& node, const std::string& prefix) {
    if (!node.IsMap()) {
      problem(node, prefix, "expected keys with values");
      return;
    }
    const auto known = names_under(prefix);
    std::set<std::string> seen;
    for (const auto& member : node) {
      if (!member.first.IsScalar()) {
        problem(member.first, prefix, "a key must be plain text");
        continue;
      }
      const auto& name = member.first.Scalar();
      const auto key = prefix.empty() ? name : prefix + "." + name;
      if (!seen.insert(name).second) {
        problem(member.first, key, "duplicate key");
      } else if (std::find(known.begin(), known.end(), name) == known.end()) {
        const auto meant = nearest(name, known);
        problem(member.first, key,
                meant.empty() ? "unknown key; valid keys: " + joined(known)
                              : "unknown key; did you mean '" + std::string(meant) + "'?");
      } else if (const auto* setting = find_setting(key)) {
        read_setting(*setting, member.second);
      } else if (!member.second.IsNull()) {
        read_section(member.second, key);
      }
    }
  }

  static std::string joined(const std::vector<std::string_view>& names) {
    std::string text;
    for (const auto name : names)
      text += (text.empty() ? "" : ", ") + std::string(name);
    return text;
  }

  void read_setting(const Setting& setting, const YAML::Node& node) {
    if (node.IsNull()) return;
    YamlSetting result{.setting = &setting, .entries = {}, .places = {}};
    const auto add = [&](const YAML::Node& value, std::string key) {
      if (!value.IsScalar()) {
        problem(value, setting.key, "expected a single value");
        return false;
      }
      result.entries.push_back({std::move(key), value.Scalar()});
      result.places.push_back(place(value.Mark()));
      return true;
    };
    switch (setting.shape) {
      case SettingShape::kScalar:
        if (!add(node, "")) return;
        break;
      case SettingShape::kList:
        if (node.IsScalar()) {  // a single value is a list of one
          if (!add(node, "")) return;
          break;
        }
        if (!node.IsSequence()) {
          problem(node, setting.key, "expected a list, such as [a, b]");
          return;
        }
        for (const auto& item : node)
          if (!add(item, "")) return;
        break;
      case SettingShape::kMap:
        if (!node.IsMap()) {
          problem(node, setting.key, "expected names with values");
          return;
        }
        for (const auto& member : node) {
          if (!member.first.IsScalar()) {
            problem(member.first, setting.key, "a name must be plain text");
            return;
          }
          if (!add(member.second, member.first.Scalar())) return;
        }
        break;
    }
    reading_.settings.push_back(std::move(result));
  }

  const std::string file_name_;
  YamlReading reading_;
};

}  // namespace

YamlReading read_yaml(std::string_view file_name, std::string_view text) {
  return YamlReader(file_name).read(text);
}

}  // namespace exa
