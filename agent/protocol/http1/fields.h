// The header fields that decide how a message is framed, collected line by line; of the others
// only the shape is checked. Pure, no allocation; views borrow from the head.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/protocol/http1/framing.h"
#include "agent/protocol/http1/line_reader.h"
#include "agent/protocol/parse_result.h"
#include "agent/trace/context/context_reader.h"
#include "exa/model/exchange.h"

namespace exa::http1 {

struct Fields {
  std::string_view host;
  std::uint64_t content_length = 0;
  bool has_content_length = false;
  bool content_length_invalid = false;
  bool has_transfer_encoding = false;
  std::uint8_t chunked_codings = 0;  // how often "chunked" stands there, saturating
  bool chunked_is_last = false;
  bool transfer_encoding_invalid = false;  // folded
  bool connection_close = false;
  bool connection_upgrade = false;
  bool upgrade_http2 = false;  // to it, without TLS
  bool expect_continue = false;
  // Lines that are no fields are passed over; of them the first's breach.
  InvalidReason odd_line = InvalidReason::kNone;
  bool obscure = false;  // one of them says something of framing, or ends early for some readers
  bool hides_request = false;  // one of them may hold another request
};

// Reads header lines up to the empty line: kMessage or kNeedMore. context is null for responses.
ParseResult read_fields(LineReader& lines, Fields& fields, ContextReader* context);

// A line that is no field: some readers pass it over, some end the head there or at a CR in it,
// some take it for what it resembles.
void pass_over(std::string_view line, InvalidReason reason, Fields& fields);

// RFC 9112 section 6.3 for the two kinds of messages. The reason is set if the head breaks a rule;
// where readers of such a head disagree about the body, its kind is kDisputed.
struct BodyDecision {
  Framing framing;
  InvalidReason reason = InvalidReason::kNone;
};
BodyDecision decide_request_body(const Fields& fields, ProtocolVersion version);
BodyDecision decide_response_body(const Fields& fields, ProtocolVersion version,
                                  std::uint16_t status, Method request_method);

}  // namespace exa::http1
