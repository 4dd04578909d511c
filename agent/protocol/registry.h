// Which protocol the first bytes of a connection speak. A protocol is its folder and one row of the
// table in registry.cc.
// Pure, any thread, no allocation.
#pragma once

#include <cstdint>
#include <string_view>

namespace exa {

enum class ProtocolId : std::uint8_t { kUnknown, kHttp1 };

enum class Side : std::uint8_t { kUnclear, kRequest, kResponse };  // which of the two speaks

struct Detection {
  enum class Verdict : std::uint8_t { kNo, kNeedMore, kYes } verdict = Verdict::kNo;
  ProtocolId protocol = ProtocolId::kUnknown;
  Side side = Side::kUnclear;
};

// bytes are the first ones of a direction, or of a run of it. kYes means that a message of that
// protocol may start here; its parser has the last word.
Detection detect_protocol(std::string_view bytes);

}  // namespace exa
