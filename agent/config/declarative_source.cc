#include "agent/config/declarative_source.h"

#include <algorithm>

#include "agent/config/config_text.h"
#include "agent/config/value_text.h"
#include "agent/config/yaml_documents.h"
#include "agent/config/yaml_source.h"
#include "exa/base/ascii.h"

namespace exa {
namespace {

constexpr std::size_t kMostWarnings = 50;
constexpr std::size_t kMostProblems = 20;

bool is_name(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  return !text.empty() && is_letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

// "${NAME}", "${env:NAME}" and "${NAME:-default}"; "$$" is a dollar, and so is one without braces.
// Nothing: what stands in the braces is something else.
std::optional<std::string> substituted(std::string_view text, const Environment& environment) {
  std::string out;
  while (!text.empty()) {
    const auto dollar = std::min(text.find('$'), text.size());
    out += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.starts_with("$$")) {
      out += '$';
      text.remove_prefix(2);
      continue;
    }
    const auto end = text.find('}');
    if (!text.starts_with("${") || end == std::string_view::npos) {
      out += text.substr(0, 1);
      text.remove_prefix(std::min<std::size_t>(1, text.size()));
      continue;
    }
    auto reference = text.substr(2, end - 2);
    text.remove_prefix(end + 1);
    if (reference.starts_with("env:")) reference.remove_prefix(4);
    const auto otherwise = reference.find(":-");
    const auto name = reference.substr(0, otherwise);
    if (!is_name(name)) return std::nullopt;
    const auto variable = environment.find(name);
    if (variable != environment.end() && !variable->second.empty())
      out += variable->second;
    else if (otherwise != std::string_view::npos)
      out += reference.substr(otherwise + 2);
  }
  return out;
}

}  // namespace

void DeclarativeSource::parse(std::string_view text,
                              const std::function<void(const Node& document)>& read) {
  if (text.size() > kMaxConfigFileBytes) {
    reading_.problems.push_back(file_name_ + ": larger than 1MiB");
    return;
  }
  if (const auto problem = problem_of_text(text)) {
    reading_.problems.push_back(file_name_ + ":" + std::to_string(problem->line) + ":" +
                                std::to_string(problem->column) + ": " + problem->text);
    return;
  }
  // yaml-cpp reports by exceptions; they end here.
  try {
    const std::string document(without_byte_order_mark(text));
    if (const auto second = second_document(document))
      reading_.problems.push_back(place(*second) + ": a second document; expected only one");
    else
      read(YAML::Load(document));
  } catch (const YAML::Exception& error) {
    reading_.problems.push_back(place(error.mark) + ": " + error.msg);
  }
}

std::string DeclarativeSource::place(const YAML::Mark& mark) const {
  if (mark.is_null()) return file_name_;
  return file_name_ + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
}

std::string DeclarativeSource::place(const Node& node) const {
  return node.IsDefined() ? place(node.Mark()) : file_name_;
}

void DeclarativeSource::warn(const Node& node, const std::string& text) {
  if (reading_.warnings.size() < kMostWarnings)
    reading_.warnings.push_back(place(node) + ": " + text + "; ignored");
}

void DeclarativeSource::ignore(const Node& node, const std::string& what) {
  warn(node, what + " is not supported");
}

void DeclarativeSource::problem(const Node& node, const std::string& text) {
  if (reading_.problems.size() < kMostProblems)
    reading_.problems.push_back(place(node) + ": " + text);
}

bool DeclarativeSource::is_text(const Node& node, const std::string& text) {
  const auto problem = problem_of_text("=" + text);
  if (problem) warn(node, problem->text);
  return !problem;
}

std::optional<std::string> DeclarativeSource::value(const Node& node) {
  if (!node.IsDefined() || node.IsNull()) return std::nullopt;
  if (!node.IsScalar()) {
    ignore(node, "a list or map in place of a plain value");
    return std::nullopt;
  }
  auto text = substituted(node.Scalar(), environment_);
  if (!text)
    problem(node, "'" + node.Scalar().substr(0, 80) +
                      "' is not a substitution such as ${NAME} or ${NAME:-default}");
  if (!text || text->empty() || !is_text(node, *text)) return std::nullopt;
  return text;
}

bool DeclarativeSource::is_true(const Node& node) {
  const auto text = value(node);
  if (!text || equals_ignoring_case(*text, "false")) return false;
  if (equals_ignoring_case(*text, "true")) return true;
  warn(node, "'" + text->substr(0, 80) + "' is neither true nor false");
  return false;
}

bool DeclarativeSource::has_map(const Node& node, const std::string& what) {
  if (!node.IsDefined() || node.IsNull()) return false;
  if (!node.IsMap()) ignore(node, what + " that is no map");
  return node.IsMap();
}

bool DeclarativeSource::has_list(const Node& node, const std::string& what) {
  if (!node.IsDefined() || node.IsNull()) return false;
  if (!node.IsSequence()) ignore(node, what + " that is no list");
  return node.IsSequence();
}

std::optional<std::string> DeclarativeSource::value_of(const Node& map, const char* name) {
  return is_map(map) ? value(map[name]) : std::nullopt;
}

std::vector<SettingEntry> DeclarativeSource::pairs(const Node& node) {
  std::vector<SettingEntry> entries;
  const auto list = value(node);
  if (!list) return entries;
  // Decoded by now, so they may be no text although the list is.
  for (auto& [name, text] : parse_pairs(*list))
    if (is_text(node, name + "=" + text)) add_entry(entries, {std::move(name), std::move(text)});
  return entries;
}

void DeclarativeSource::put(std::string_view key, const Node& node, std::string text) {
  put_entries(key, node, {{"", std::move(text)}});
}

void DeclarativeSource::put_entries(std::string_view key, const Node& node,
                                    std::vector<SettingEntry> entries) {
  reading_.settings.push_back({find_setting(key), std::move(entries), place(node)});
}

void DeclarativeSource::put_milliseconds(std::string_view key, const Node& node) {
  if (auto text = value(node)) put(key, node, *text + "ms");
}

void DeclarativeSource::ignore_others(const Node& node, const std::string& path,
                                      std::initializer_list<std::string_view> known) {
  if (!is_map(node)) return;
  for (const auto& member : node) {
    const auto name = member.first.Scalar();
    if (std::ranges::find(known, std::string_view(name)) == known.end())
      ignore(member.first, path.empty() ? name : path + "." + name);
  }
}

void add_entry(std::vector<SettingEntry>& entries, SettingEntry entry) {
  std::erase_if(entries, [&](const auto& other) { return other.key == entry.key; });
  entries.push_back(std::move(entry));
}

}  // namespace exa
