#include "agent/protocol/registry.h"

#include <array>

#include "agent/protocol/http1/detect.h"

namespace exa {
namespace {

struct ProtocolRow {
  ProtocolId protocol;
  Detection (*detect)(std::string_view bytes);
};

constexpr std::array kProtocols = {
    ProtocolRow{ProtocolId::kHttp1, http1::detect},
};

}  // namespace

Detection detect_protocol(std::string_view bytes) {
  Detection undecided;
  for (const auto& row : kProtocols) {
    const auto detection = row.detect(bytes);
    if (detection.verdict == Detection::Verdict::kYes) return detection;
    if (detection.verdict == Detection::Verdict::kNeedMore) undecided = detection;
  }
  return undecided;
}

}  // namespace exa
