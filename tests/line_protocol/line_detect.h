// A protocol that exists for tests only: "ask: <word>" is answered by "OK" or "ERR <number>", a
// line each, in order. Pure.
#pragma once

#include <string_view>

#include "agent/protocol/detection.h"

namespace exa::line {

inline Detection detect(std::string_view bytes) {
  constexpr std::string_view kAsk = "ask: ";
  const auto common = bytes.substr(0, kAsk.size());
  if (common.empty() || common != kAsk.substr(0, common.size())) return {};
  using Verdict = Detection::Verdict;
  return {common.size() == kAsk.size() ? Verdict::kYes : Verdict::kNeedMore, Side::kRequest};
}

}  // namespace exa::line
