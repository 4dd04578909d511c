// What a backend answers to an OTLP request. Pure: hostile bytes in, a verdict out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "exporters/queue/sender.h"

namespace exa {

struct OtlpReply {
  std::uint64_t rejected = 0;  // spans or points; never below 0 whatever was sent
  std::string message;         // printable ASCII, cut at kLongestReplyMessage
};
inline constexpr std::size_t kLongestReplyMessage = 200;

// ExportTraceServiceResponse or ExportMetricsServiceResponse; empty is full success. nullopt: these
// bytes are no such message, so it is not known that the backend took anything.
std::optional<OtlpReply> decode_otlp_reply(std::string_view body);

// The same in JSON, which some receivers answer whatever was asked for.
std::optional<OtlpReply> decode_otlp_json_reply(std::string_view body);

// Text of a stranger for one log line: others become '.', and it is cut.
std::string printable_excerpt(std::string_view text, std::size_t limit);

// The verdict on a reply that was decoded.
SendOutcome delivered(const OtlpReply& reply, const std::string& backend);

}  // namespace exa
