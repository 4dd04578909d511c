// Heads of requests and responses, parsed in place.
//
// A head is parsed when all its bytes stand in a row; while the result is kNeedMore the caller
// keeps the bytes and comes again with more in front of the same ones. How the bytes were cut makes
// no difference to the result.
// What servers answer counts however odd it was: a head with a credible start line is a message,
// with the first rule it breaks as the result's reason.
// Pure, any thread, no allocation. Views borrow from the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/protocol/http1/framing.h"
#include "agent/protocol/parse_result.h"
#include "agent/trace/context/context_reader.h"
#include "exa/model/exchange.h"

namespace exa::http1 {

// Longest head that is kept while it is incomplete; what is longer is cut.
inline constexpr std::size_t kMaxHeadBytes = 4096;

struct RequestHead {
  std::size_t leading_bytes = 0;  // empty lines before the request line
  Method method = Method::kOther;
  std::string_view method_text{};  // as sent
  ProtocolVersion version = ProtocolVersion::kUnknown;
  // Without query; "*" in asterisk form, empty in authority form. Of one that is not valid up to
  // where that shows.
  std::string_view path{};
  std::string_view host{};  // of the target if it names one, else of the Host header
  Framing body{};
  bool has_start_line = false;
  bool expect_continue = false;
  bool wants_upgrade = false;
  bool wants_close = false;
  bool hides_request = false;  // for some readers another request is in this head
  bool cut = false;            // its end was not seen
  ContextReader context;
};

struct ResponseHead {
  std::size_t leading_bytes = 0;
  ProtocolVersion version = ProtocolVersion::kUnknown;
  std::uint16_t status = 0;
  Framing body;
  bool has_start_line = false;
  bool wants_close = false;
  bool goes_on_in_http2 = false;  // a 101 that says so: the answer itself comes there
  // 1xx but 101: the answer is still to come.
  [[nodiscard]] bool is_interim() const { return status < 200 && status != 101; }
};

// kMessage, kNeedMore, or kInvalid where the start line is not credible. consumed_bytes counts the
// leading empty lines. contexts outlive the head.
ParseResult parse_request_head(std::string_view bytes, const ContextHeaders& contexts,
                               RequestHead& head);

// request_method is the method that this response answers. kUpgraded: 101, or CONNECT accepted.
ParseResult parse_response_head(std::string_view bytes, Method request_method, ResponseHead& head);

// After kNeedMore when no more bytes will come: fills in what is certain, with framing kUnknown.
// False if the bytes do not say which message this is.
bool cut_request_head(std::string_view bytes, RequestHead& head);
bool cut_response_head(std::string_view bytes, ResponseHead& head);

}  // namespace exa::http1
