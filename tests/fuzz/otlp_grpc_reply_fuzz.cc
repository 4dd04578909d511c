// A gRPC server's whole answer: what is taken for delivered said so, what waits waits within its
// bounds, and the log line holds nothing unprintable.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "exporters/otlp/grpc_reply.h"
#include "exporters/otlp/http_reply.h"
#include "exporters/otlp/reply.h"
#include "exporters/queue/retry_after.h"

namespace {

using exa::SendStatus;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

// Input: the HTTP status, whether the transfer breaks off, how many bytes of body there are, and
// those; then head lines and trailers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const long http_status = data[0] == 0 ? 0 : 200 + (data[0] - 1) * 3 % 400;
  const bool breaks_off = (data[1] & 1) != 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  const auto body = bytes.substr(0, data[2]);
  bytes.remove_prefix(body.size());

  exa::GrpcReply reply;
  bool whole = reply.take_body(body);
  while (!bytes.empty() && whole) {
    const auto line = bytes.substr(0, std::min(bytes.find('\n'), bytes.size() - 1) + 1);
    bytes.remove_prefix(line.size());
    whole = reply.take_header(line);
  }
  std::optional<std::string_view> broken;
  if (breaks_off || !whole) broken = "broken";
  const auto outcome = reply.judge(http_status, broken, "backend");

  require(outcome.text.size() <= 500);
  require(std::ranges::all_of(outcome.text, [](char c) { return c >= 0x20 && c <= 0x7e; }));
  if (outcome.status == SendStatus::kDelivered)
    require(body.size() >= 5 && exa::decode_otlp_reply(body.substr(5)).has_value());
  if (outcome.retry_after)
    require(outcome.status == SendStatus::kRetry && outcome.retry_after->count() >= 0 &&
            *outcome.retry_after <= exa::kLongestRetryAfter);
  return 0;
}
