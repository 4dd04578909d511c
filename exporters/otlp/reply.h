// What a backend answers to an OTLP request. Pure: hostile bytes in, a verdict out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "exporters/queue/sender.h"

namespace exa {

inline constexpr std::size_t kLongestReplyHead = 64u << 10;  // with its trailers
inline constexpr std::size_t kLongestReply = 64u << 10;

// What a transfer hands over of an answer, as long as it is no longer than any to an OTLP request.
class AnswerText {
 public:
  // False: read no more of it.
  [[nodiscard]] bool take_head(std::string_view line);
  [[nodiscard]] bool take_body(std::string_view bytes);

  [[nodiscard]] std::string_view body() const { return body_; }
  [[nodiscard]] bool too_long() const { return too_long_; }

 private:
  std::string body_;
  std::size_t head_bytes_ = 0;
  bool too_long_ = false;
};

// A line of a head. Before the final answer others may come, each with a head of its own.
[[nodiscard]] bool begins_head(std::string_view line);
struct AnswerHeader {
  std::string_view name;  // empty: it is none
  std::string_view value;
};
[[nodiscard]] AnswerHeader header_of(std::string_view line);

// Statuses of HTTP after which a request may be sent again.
[[nodiscard]] bool retryable_http(long status);

struct OtlpReply {
  std::uint64_t rejected = 0;  // spans, points or log records; never below 0 whatever was sent
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
