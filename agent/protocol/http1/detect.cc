#include "agent/protocol/http1/detect.h"

#include <algorithm>

#include "agent/protocol/blank_lines.h"
#include "agent/protocol/http1/method.h"

namespace exa::http1 {
namespace {

constexpr std::string_view kStatusLine = "HTTP/1.";
using Verdict = Detection::Verdict;

Detection found(Verdict verdict, Side side) {
  return {.verdict = verdict, .side = side};
}

Detection detect_message(std::string_view bytes) {
  if (bytes.empty()) return found(Verdict::kNeedMore, Side::kUnclear);

  const auto common = std::min(bytes.size(), kStatusLine.size());
  if (bytes.substr(0, common) == kStatusLine.substr(0, common))
    return common == kStatusLine.size() ? found(Verdict::kYes, Side::kResponse)
                                        : found(Verdict::kNeedMore, Side::kUnclear);

  const auto method = method_length(bytes);
  if (method == 0 || method > kMaxMethodBytes) return {};
  if (method == bytes.size()) return found(Verdict::kNeedMore, Side::kRequest);
  // Some servers take a tab for a blank.
  const bool tab = bytes[method] == '\t' && parse_method(bytes.substr(0, method)) != Method::kOther;
  if (bytes[method] != ' ' && !tab) return {};
  if (std::ranges::all_of(bytes.substr(0, method), is_usual_in_method))
    return found(Verdict::kYes, Side::kRequest);
  // Any word of any text may be such a method: a target must follow it.
  const auto rest = bytes.substr(method + 1);
  if (rest.empty()) return found(Verdict::kNeedMore, Side::kRequest);
  return rest.front() == '/' || rest.front() == '*' || rest.starts_with("http")
             ? found(Verdict::kYes, Side::kRequest)
             : Detection{};
}

}  // namespace

Detection detect(std::string_view bytes) {
  const auto blank = leading_blank(bytes);
  auto detection = detect_message(bytes.substr(blank));
  detection.skipped = blank;
  return detection;
}

}  // namespace exa::http1
