#include "exporters/openmetrics/names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "exa/base/ascii.h"
#include "exporters/encoding/utf8.h"

namespace exa {
namespace {

std::string sanitized(std::string_view name, bool colon_allowed) {
  std::string clean;
  clean.reserve(name.size() + 1);
  if (!name.empty() && is_digit(name.front())) clean += '_';
  for (const char c : name) {
    const bool allowed = is_letter(c) || is_digit(c) || c == '_' || (colon_allowed && c == ':');
    const char kept = allowed ? c : '_';
    if (kept == '_' && !allowed && !clean.empty() && clean.back() == '_') continue;
    clean += kept;
  }
  return clean.empty() ? "_" : clean;
}

bool has_suffix_word(std::string_view name, std::string_view word) {
  return name.size() > word.size() && name.ends_with(word) &&
         name[name.size() - word.size() - 1] == '_';
}

}  // namespace

std::string metric_name(std::string_view name) {
  return sanitized(name, true);
}

std::string_view unit_word(std::string_view unit) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kWords = {{
      {"s", "seconds"},
      {"ms", "milliseconds"},
      {"us", "microseconds"},
      {"ns", "nanoseconds"},
      {"min", "minutes"},
      {"h", "hours"},
      {"d", "days"},
      {"By", "bytes"},
      {"KiBy", "kibibytes"},
      {"MiBy", "mebibytes"},
  }};
  const auto found = std::find_if(kWords.begin(), kWords.end(),
                                  [&](const auto& word) { return word.first == unit; });
  return found == kWords.end() ? std::string_view() : found->second;
}

std::string family_name(std::string_view name, std::string_view unit, bool counter) {
  std::string family = metric_name(name);
  constexpr std::string_view kTotal = "total";
  if (counter && has_suffix_word(family, kTotal)) family.resize(family.size() - kTotal.size() - 1);
  const std::string_view word = unit_word(unit);
  if (!word.empty() && !has_suffix_word(family, word)) family.append("_").append(word);
  return family;
}

std::string label_name(std::string_view key) {
  const std::string name = sanitized(key, false);
  return name.starts_with("__") ? "key" + name : name;
}

Labels labels_of(const Attributes& attributes) {
  Labels labels;
  labels.reserve(attributes.size());
  for (const Attribute& attribute : attributes) {
    std::string name = label_name(attribute.key);
    if (name == "le" || name == "job" || name == "instance") name = "exported_" + name;
    labels.emplace_back(std::move(name), attribute_text(attribute.value));
  }
  std::stable_sort(labels.begin(), labels.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  Labels unique;
  unique.reserve(labels.size());
  for (auto& label : labels) {
    if (!unique.empty() && unique.back().first == label.first)
      unique.back().second += ";" + label.second;
    else
      unique.push_back(std::move(label));
  }
  return unique;
}

std::string label_text(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text += ',';
    text += name + "=\"" + exposition_text(value, true) + '"';
  }
  return text;
}

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::string(text.data(), end) : "NaN";
}

std::string number_text(std::uint64_t value) {
  return std::to_string(value);
}

std::string bound_text(double bound) {
  std::string text = number_text(bound);
  if (text.find_first_of(".eIN") == std::string::npos) text += ".0";
  return text;
}

std::string exposition_text(std::string_view text, bool quote) {
  std::string valid;
  if (!is_valid_utf8(text)) {
    valid = repair_utf8(text);
    text = valid;
  }
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '"' && quote)
      out += "\\\"";
    else
      out += c;
  }
  return out;
}

}  // namespace exa
