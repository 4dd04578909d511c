// A backend's whole answer, head and body, in pieces of any size: what is taken for delivered said
// so, what waits waits within its bounds, and the log line holds nothing unprintable.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "exporters/otlp/http_reply.h"
#include "exporters/otlp/reply.h"
#include "exporters/queue/retry_after.h"

namespace {

using exa::SendStatus;
using exa::SendTrouble;

void require(bool holds) {
  if (!holds) std::abort();
}

// What libcurl reads out of a status line.
long status_of(std::string_view line) {
  const auto blank = line.find(' ');
  long status = 0;
  for (std::size_t i = 0; blank != line.npos && i < 3; ++i) {
    const std::size_t at = blank + 1 + i;
    if (at >= line.size() || line[at] < '0' || line[at] > '9') return 0;
    status = 10 * status + (line[at] - '0');
  }
  return status;
}

struct Answer {
  long status = 0;
  std::string body;
  bool whole = true;
};

// Head lines up to the empty one, once more for each interim answer; the rest is the body.
Answer feed(exa::HttpReply& reply, std::string_view bytes, std::size_t piece) {
  Answer answer;
  for (bool in_head = true; in_head;) {
    const auto end = bytes.find('\n');
    if (end == bytes.npos) {
      answer.whole = false;
      return answer;
    }
    const auto line = bytes.substr(0, end + 1);
    bytes.remove_prefix(end + 1);
    if (line.starts_with("HTTP/")) answer.status = status_of(line);
    if (!reply.take_header(line)) {
      answer.whole = false;
      return answer;
    }
    in_head = (line != "\r\n" && line != "\n") || answer.status / 100 == 1;
  }
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    if (!reply.take_body(part)) {
      answer.whole = false;
      return answer;
    }
    answer.body += part;
  }
  return answer;
}

bool same(const exa::SendOutcome& a, const exa::SendOutcome& b) {
  return a.status == b.status && a.rejected == b.rejected && a.retry_after == b.retry_after &&
         a.trouble == b.trouble && a.text == b.text;
}

}  // namespace

// Input: the size of a piece, whether the transfer breaks off at its end, and the answer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const bool breaks_off = (data[1] & 1) != 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const exa::WallTime now{1'700'000'000'000'000'000ull};
  const std::string backend = "http://backend:4318/v1/traces";

  exa::HttpReply reply;
  const auto answer = feed(reply, bytes, std::size_t{1} + data[0]);
  require(answer.body.size() <= exa::kLongestReply);
  std::optional<std::string_view> broken;
  if (!answer.whole || breaks_off) broken = bytes.substr(0, 300);
  const auto outcome = reply.judge(answer.status, broken, backend, now);

  exa::HttpReply in_one_piece;
  const auto again = feed(in_one_piece, bytes, std::string_view::npos);
  if (again.whole && answer.whole)
    require(same(outcome, in_one_piece.judge(again.status, broken, backend, now)));

  require(outcome.text.size() <= backend.size() + 300);
  require(std::ranges::all_of(outcome.text, [](char c) { return c >= 0x20 && c <= 0x7e; }));
  const bool success = answer.status >= 200 && answer.status < 300;
  switch (outcome.status) {
    case SendStatus::kDelivered:
      require(success && answer.whole && !broken);
      require(answer.body.empty() || exa::decode_otlp_reply(answer.body) ||
              exa::decode_otlp_json_reply(answer.body));
      require(outcome.rejected <= INT64_MAX);
      break;
    case SendStatus::kRetry:
      require(outcome.trouble == SendTrouble::kUnreachable ? broken.has_value()
                                                           : !success && answer.status >= 429);
      break;
    case SendStatus::kTooLarge:
      require(answer.status == 413);
      break;
    case SendStatus::kRefused:
      require(outcome.trouble != SendTrouble::kNone);
      break;
  }
  if (outcome.retry_after) {
    require(outcome.trouble == SendTrouble::kRetryStatus);
    require(outcome.retry_after->count() >= 0 && *outcome.retry_after <= exa::kLongestRetryAfter);
  }
  return 0;
}
