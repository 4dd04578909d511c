#include "exporters/otlp/grpc_reply.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <protozero/pbf_message.hpp>
#include <utility>

#include "exa/base/ascii.h"
#include "exa/base/percent.h"
#include "exporters/otlp/reply.h"
#include "exporters/queue/retry_after.h"

namespace exa {
namespace {

constexpr std::size_t kFrameHeadBytes = 5;

// The codes of gRPC, by their number.
constexpr std::array<std::string_view, 17> kStatusNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};
enum : std::uint32_t {
  kOk = 0,
  kCancelled = 1,
  kDeadlineExceeded = 4,
  kResourceExhausted = 8,
  kAborted = 10,
  kOutOfRange = 11,
  kUnavailable = 14,
  kDataLoss = 15,
};

bool retryable(std::uint32_t status) {
  return status == kCancelled || status == kDeadlineExceeded || status == kAborted ||
         status == kOutOfRange || status == kUnavailable || status == kDataLoss;
}

std::optional<std::string> base64_decoded(std::string_view text) {
  while (text.ends_with('='))
    text.remove_suffix(1);
  std::string decoded;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    decoded += static_cast<char>(bits >> held & 0xff);
  }
  return decoded;
}

// google.rpc.Status, Any, RetryInfo and google.protobuf.Duration.
enum class StatusField : protozero::pbf_tag_type { kDetails = 3 };
enum class AnyField : protozero::pbf_tag_type { kTypeUrl = 1, kValue = 2 };
enum class RetryInfoField : protozero::pbf_tag_type { kRetryDelay = 1 };
enum class DurationField : protozero::pbf_tag_type { kSeconds = 1, kNanos = 2 };

template <typename Field, typename Visit>
void visit_fields(protozero::data_view bytes, Visit visit) {
  protozero::pbf_message<Field> message(bytes);
  while (message.next())
    if (!visit(message)) message.skip();
}

std::chrono::seconds delay_of(protozero::data_view retry_info) {
  std::int64_t delay_s = 0;
  bool part = false;
  visit_fields<RetryInfoField>(retry_info, [&](auto& info) {
    if (info.tag() != RetryInfoField::kRetryDelay ||
        info.wire_type() != protozero::pbf_wire_type::length_delimited)
      return false;
    visit_fields<DurationField>(info.get_view(), [&](auto& duration) {
      if (duration.wire_type() != protozero::pbf_wire_type::varint) return false;
      const auto value = duration.get_int64();
      if (duration.tag() == DurationField::kSeconds) delay_s = value;
      if (duration.tag() == DurationField::kNanos) part = value > 0;
      return true;
    });
    return true;
  });
  const auto longest = kLongestRetryAfter.count();
  return std::chrono::seconds(std::clamp<std::int64_t>(
      std::clamp<std::int64_t>(delay_s, 0, longest) + (part ? 1 : 0), 0, longest));
}

// When the server wants to hear of it again, if it says so.
std::optional<std::chrono::seconds> retry_delay(std::string_view details) {
  const auto bytes = base64_decoded(details);
  if (!bytes || bytes->empty()) return std::nullopt;
  std::optional<std::chrono::seconds> delay;
  try {  // protozero reports malformed input by exceptions
    visit_fields<StatusField>({bytes->data(), bytes->size()}, [&](auto& status) {
      if (status.tag() != StatusField::kDetails ||
          status.wire_type() != protozero::pbf_wire_type::length_delimited)
        return false;
      std::string_view type;
      protozero::data_view value;
      visit_fields<AnyField>(status.get_view(), [&](auto& any) {
        if (any.wire_type() != protozero::pbf_wire_type::length_delimited) return false;
        const auto tag = any.tag();
        const auto view = any.get_view();
        if (tag == AnyField::kTypeUrl) type = {view.data(), view.size()};
        if (tag == AnyField::kValue) value = view;
        return true;
      });
      if (type.ends_with("/google.rpc.RetryInfo")) delay = delay_of(value);
      return true;
    });
  } catch (const protozero::exception&) {
    return std::nullopt;
  }
  return delay;
}

std::optional<std::uint32_t> code_of(std::string_view text) {
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (error != std::errc() || end != text.data() + text.size() || code >= kStatusNames.size())
    return std::nullopt;
  return code;
}

// In the words of gRPC's own libraries.
bool says_too_large(std::string_view message) {
  return message.contains("larger than max") || message.contains("exceeds maximum size") ||
         message.contains("message length too large");
}

}  // namespace

bool GrpcReply::take_header(std::string_view line) {
  if (!answer_.take_head(line)) return false;
  if (begins_head(line)) {  // an interim answer's headers are not the final one's
    status_.clear();
    message_.clear();
    details_.clear();
  }
  const auto [name, value] = header_of(line);
  if (equals_ignoring_case(name, "grpc-status")) status_ = value;
  if (equals_ignoring_case(name, "grpc-message")) message_ = value;
  if (equals_ignoring_case(name, "grpc-status-details-bin")) details_ = value;
  return true;
}

bool GrpcReply::take_body(std::string_view bytes) {
  return answer_.take_body(bytes);
}

SendOutcome GrpcReply::judge(long http_status, std::optional<std::string_view> broken,
                             const std::string& backend) const {
  if (const auto code = code_of(status_); code && !answer_.too_long())
    return judge_call(*code, backend);
  if (broken && !answer_.too_long() && (http_status == 0 || http_status == 200))
    return {.status = SendStatus::kRetry,
            .trouble = SendTrouble::kUnreachable,
            .text = "no answer from " + backend + ": " + printable_excerpt(*broken, 200)};
  const auto answer = backend + " answered " + std::to_string(http_status);
  // What stands between a gRPC server and us answers in HTTP's words.
  if (retryable_http(http_status))
    return {.status = SendStatus::kRetry, .trouble = SendTrouble::kRetryStatus, .text = answer};
  return {.status = SendStatus::kRefused,
          .trouble = http_status == 200 ? SendTrouble::kBadReply : SendTrouble::kRefused,
          .text = answer + flaw() + ": is this an OTLP/gRPC receiver?"};
}

const char* GrpcReply::flaw() const {
  if (answer_.too_long()) return ", and its reply is too long";
  return status_.empty() ? " without a gRPC status" : " with an unknown gRPC status";
}

SendOutcome GrpcReply::judge_call(std::uint32_t status, const std::string& backend) const {
  if (status == kOk) return judge_success(backend);
  const auto message = percent_decoded(message_);
  auto text = backend + " answered " + std::string(kStatusNames[status]);
  if (!message.empty()) text += ": " + printable_excerpt(message, kLongestReplyMessage);
  // tonic calls it out of range, which would be tried again for ever.
  if ((status == kResourceExhausted || status == kOutOfRange) && says_too_large(message))
    return {
        .status = SendStatus::kTooLarge, .trouble = SendTrouble::kRefused, .text = std::move(text)};
  const auto delay = retry_delay(details_);
  if (retryable(status) || (status == kResourceExhausted && delay))
    return {.status = SendStatus::kRetry,
            .retry_after = delay,
            .trouble = SendTrouble::kRetryStatus,
            .text = std::move(text)};
  return {
      .status = SendStatus::kRefused, .trouble = SendTrouble::kRefused, .text = std::move(text)};
}

// A success is proven by its message, of which there is one, and nothing behind it.
SendOutcome GrpcReply::judge_success(const std::string& backend) const {
  const auto bad_reply = [&](const char* why) {
    return SendOutcome{
        .status = SendStatus::kRefused,
        .trouble = SendTrouble::kBadReply,
        .text = backend + " answered OK, but " + why + ": is this an OTLP/gRPC receiver?"};
  };
  const auto body = answer_.body();
  if (body.size() < kFrameHeadBytes) return bad_reply("without a message");
  const auto byte = [&](std::size_t i) {
    return std::uint32_t{static_cast<std::uint8_t>(body[i])};
  };
  if (byte(0) != 0) return bad_reply("its message is compressed, which was not requested");
  const auto length = byte(1) << 24 | byte(2) << 16 | byte(3) << 8 | byte(4);
  if (length != body.size() - kFrameHeadBytes) return bad_reply("its message is not whole");
  const auto reply = decode_otlp_reply(body.substr(kFrameHeadBytes));
  if (!reply) return bad_reply("its message cannot be decoded");
  return delivered(*reply, backend);
}

}  // namespace exa
