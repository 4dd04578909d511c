#include "exporters/openmetrics/negotiation.h"

#include <algorithm>
#include <optional>

#include "exa/base/ascii.h"
#include "exa/base/take_until.h"
#include "exa/base/whitespace.h"

namespace exa {
namespace {

// RFC 9110 section 12.4.2, in thousandths; nullopt if malformed.
std::optional<int> parse_quality(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int thousandths = (text[0] - '0') * 1000;
  if (text.size() == 1) return thousandths;
  if (text[1] != '.') return std::nullopt;
  int weight = 100;
  for (const char c : text.substr(2)) {
    if (c < '0' || c > '9') return std::nullopt;
    thousandths += (c - '0') * weight;
    weight /= 10;
  }
  return thousandths <= 1000 ? std::optional(thousandths) : std::nullopt;
}

struct Choice {
  std::string_view name;     // "text/plain", "gzip"
  std::string_view version;  // of a media type, unquoted
  int quality = 1000;
};

// The next member of a comma-separated list; one with a malformed q has quality 0.
Choice take_choice(std::string_view& list) {
  std::string_view member = take_until(list, ',');
  Choice choice{.name = trimmed(take_until(member, ';')), .version = {}};
  while (!member.empty()) {
    std::string_view parameter = take_until(member, ';');
    const std::string_view key = trimmed(take_until(parameter, '='));
    std::string_view value = trimmed(parameter);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    if (equals_ignoring_case(key, "q")) choice.quality = parse_quality(value).value_or(0);
    if (equals_ignoring_case(key, "version")) choice.version = value;
  }
  return choice;
}

}  // namespace

ScrapeFormat negotiate_format(std::string_view accept) {
  int open_metrics = 0;
  int text = 0;
  int anything = 0;
  bool text_named = false;
  while (!accept.empty()) {
    const Choice choice = take_choice(accept);
    if (equals_ignoring_case(choice.name, "application/openmetrics-text")) {
      const bool ours =
          choice.version.empty() || choice.version.starts_with("1.") || choice.version == "0.0.1";
      if (ours) open_metrics = std::max(open_metrics, choice.quality);
    } else if (equals_ignoring_case(choice.name, "text/plain")) {
      text = std::max(text, choice.quality);
      text_named = true;
    } else if (equals_ignoring_case(choice.name, "text/*") || choice.name == "*/*") {
      anything = std::max(anything, choice.quality);
    }
  }
  if (!text_named) text = anything;
  return open_metrics > 0 && open_metrics >= text ? ScrapeFormat::kOpenMetrics
                                                  : ScrapeFormat::kText;
}

bool accepts_gzip(std::string_view accept_encoding) {
  bool any = false;
  while (!accept_encoding.empty()) {
    const Choice choice = take_choice(accept_encoding);
    if (equals_ignoring_case(choice.name, "gzip") || equals_ignoring_case(choice.name, "x-gzip"))
      return choice.quality > 0;
    if (choice.name == "*") any = choice.quality > 0;
  }
  return any;
}

}  // namespace exa
