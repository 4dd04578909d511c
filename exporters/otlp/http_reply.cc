#include "exporters/otlp/http_reply.h"

#include "exa/base/ascii.h"
#include "exporters/otlp/reply.h"
#include "exporters/queue/retry_after.h"

namespace exa {
bool HttpReply::take_header(std::string_view line) {
  if (!answer_.take_head(line)) return false;
  if (begins_head(line)) {  // an interim answer's headers are not the final one's
    retry_after_.clear();
    encoded_ = false;
    json_ = false;
    return true;
  }
  const auto [name, value] = header_of(line);
  if (equals_ignoring_case(name, "retry-after")) retry_after_ = value;
  if (equals_ignoring_case(name, "content-encoding"))
    encoded_ = !value.empty() && !equals_ignoring_case(value, "identity");
  if (equals_ignoring_case(name, "content-type"))
    json_ = equals_ignoring_case(value.substr(0, 16), "application/json");
  return true;
}

bool HttpReply::take_body(std::string_view bytes) {
  return answer_.take_body(bytes);
}

SendOutcome HttpReply::judge(long status, std::optional<std::string_view> broken,
                             const std::string& backend, WallTime now) const {
  const bool success = status >= 200 && status < 300;
  // The answer was cut short before a verdict, or there is none.
  if (broken && !answer_.too_long() && (status < 200 || success))
    return {.status = SendStatus::kRetry,
            .trouble = SendTrouble::kUnreachable,
            .text = "no answer from " + backend + ": " + printable_excerpt(*broken, 200)};
  if (success) return judge_success(status, backend);

  const std::string answer = backend + " answered " + std::to_string(status);
  if (retryable_http(status))
    return {.status = SendStatus::kRetry,
            .retry_after = parse_retry_after(retry_after_, now),
            .trouble = SendTrouble::kRetryStatus,
            .text = answer};
  if (status == 413)
    return {.status = SendStatus::kTooLarge, .trouble = SendTrouble::kRefused, .text = answer};
  return {.status = SendStatus::kRefused, .trouble = SendTrouble::kRefused, .text = answer};
}

SendOutcome HttpReply::judge_success(long status, const std::string& backend) const {
  // An answer that is not OTLP's (a captive portal, a wrong port) proves no delivery. It is not
  // repeated either: had it been taken, that would double it.
  const auto bad_reply = [&](const char* why) {
    return SendOutcome{.status = SendStatus::kRefused,
                       .trouble = SendTrouble::kBadReply,
                       .text = backend + " answered " + std::to_string(status) + ", but " + why +
                               ": is this an OTLP/HTTP receiver?"};
  };
  if (answer_.too_long()) return bad_reply("its reply is too long");
  if (answer_.body().empty()) return {.status = SendStatus::kDelivered};
  if (encoded_) return bad_reply("its reply is compressed, which was not requested");
  const auto reply =
      json_ ? decode_otlp_json_reply(answer_.body()) : decode_otlp_reply(answer_.body());
  if (!reply) return bad_reply("its reply cannot be decoded");
  return delivered(*reply, backend);
}

}  // namespace exa
