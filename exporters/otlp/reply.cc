#include "exporters/otlp/reply.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <protozero/pbf_message.hpp>

#include "exporters/otlp/wire.h"

namespace exa {
namespace {

using namespace otlp;

void read_partial_success(protozero::pbf_message<PartialSuccessField> partial, OtlpReply& reply) {
  while (partial.next()) {
    const auto type = partial.wire_type();
    if (partial.tag() == PartialSuccessField::kRejected &&
        type == protozero::pbf_wire_type::varint) {
      reply.rejected = static_cast<std::uint64_t>(std::max<std::int64_t>(partial.get_int64(), 0));
    } else if (partial.tag() == PartialSuccessField::kErrorMessage &&
               type == protozero::pbf_wire_type::length_delimited) {
      const auto text = partial.get_view();
      reply.message = printable_excerpt({text.data(), text.size()}, kLongestReplyMessage);
    } else {
      partial.skip();
    }
  }
}

}  // namespace

bool AnswerText::take_head(std::string_view line) {
  head_bytes_ += line.size();
  too_long_ = too_long_ || head_bytes_ > kLongestReplyHead;
  return !too_long_;
}

bool AnswerText::take_body(std::string_view bytes) {
  too_long_ = too_long_ || body_.size() + bytes.size() > kLongestReply;
  if (!too_long_) body_.append(bytes);
  return !too_long_;
}

bool begins_head(std::string_view line) {
  return line.starts_with("HTTP/");
}

AnswerHeader header_of(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  auto value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(kBlanks), value.size()));
  return {line.substr(0, colon), value.substr(0, value.find_last_not_of(kBlanks) + 1)};
}

bool retryable_http(long status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

std::string printable_excerpt(std::string_view text, std::size_t limit) {
  std::string excerpt(text.substr(0, limit));
  std::replace_if(excerpt.begin(), excerpt.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '.');
  if (text.size() > limit) excerpt += "...";
  return excerpt;
}

std::optional<OtlpReply> decode_otlp_reply(std::string_view body) {
  OtlpReply reply;
  try {  // protozero reports malformed input by exceptions
    protozero::pbf_message<ReplyField> message(body.data(), body.size());
    while (message.next()) {
      if (message.tag() == ReplyField::kPartialSuccess &&
          message.wire_type() == protozero::pbf_wire_type::length_delimited)
        read_partial_success(protozero::pbf_message<PartialSuccessField>(message.get_message()),
                             reply);
      else
        message.skip();
    }
  } catch (const protozero::exception&) {
    return std::nullopt;
  }
  return reply;
}

std::optional<OtlpReply> decode_otlp_json_reply(std::string_view body) {
  constexpr int kDeepest = 8;
  bool too_deep = false;
  const auto shallow = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    too_deep = too_deep || depth > kDeepest;
    return depth <= kDeepest;
  };
  const auto json = nlohmann::json::parse(body, shallow, /*allow_exceptions=*/false);
  if (!json.is_object() || too_deep) return std::nullopt;
  OtlpReply reply;
  const auto partial = json.find("partialSuccess");
  if (partial == json.end() || partial->is_null()) return reply;
  if (!partial->is_object()) return std::nullopt;
  for (const char* key : {"rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"}) {
    const auto rejected = partial->find(key);
    if (rejected == partial->end()) continue;
    std::int64_t count = 0;
    if (rejected->is_number_integer()) {
      count = rejected->get<std::int64_t>();
    } else if (rejected->is_string()) {  // protobuf's JSON writes 64-bit numbers as text
      const auto& text = rejected->get_ref<const std::string&>();
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
      if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    } else {
      return std::nullopt;
    }
    reply.rejected = static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0));
  }
  const auto message = partial->find("errorMessage");
  if (message != partial->end() && message->is_string())
    reply.message = printable_excerpt(message->get_ref<const std::string&>(), kLongestReplyMessage);
  return reply;
}

SendOutcome delivered(const OtlpReply& reply, const std::string& backend) {
  SendOutcome outcome{.status = SendStatus::kDelivered, .rejected = reply.rejected};
  if (reply.rejected != 0)
    outcome.text =
        backend + " rejected " + std::to_string(reply.rejected) + " items: " + reply.message;
  else if (!reply.message.empty())
    outcome.text = backend + " warns: " + reply.message;
  return outcome;
}

}  // namespace exa
