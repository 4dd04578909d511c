#include "agent/protocol/http1/detect.h"

#include <algorithm>

#include "agent/protocol/http1/method.h"

namespace exa::http1 {
namespace {

constexpr std::string_view kStatusLine = "HTTP/1.";
using Verdict = Detection::Verdict;

Detection found(Verdict verdict, Side side) {
  return {verdict, ProtocolId::kHttp1, side};
}

}  // namespace

Detection detect(std::string_view bytes) {
  // Servers pass over empty lines before a message.
  while (!bytes.empty() && (bytes.front() == '\r' || bytes.front() == '\n'))
    bytes.remove_prefix(1);
  if (bytes.empty()) return found(Verdict::kNeedMore, Side::kUnclear);

  const auto common = std::min(bytes.size(), kStatusLine.size());
  if (bytes.substr(0, common) == kStatusLine.substr(0, common))
    return common == kStatusLine.size() ? found(Verdict::kYes, Side::kResponse)
                                        : found(Verdict::kNeedMore, Side::kUnclear);

  const auto method = method_length(bytes);
  if (method == 0 || method > kMaxMethodBytes) return {};
  if (method == bytes.size()) return found(Verdict::kNeedMore, Side::kRequest);
  return bytes[method] == ' ' ? found(Verdict::kYes, Side::kRequest) : Detection{};
}

}  // namespace exa::http1
