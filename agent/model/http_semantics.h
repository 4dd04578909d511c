// How an exchange is named in the semantic conventions (1.44): the words that metric points and
// spans have in common. Pure; everything that takes part in a series key allocates nothing.
#pragma once

#include <string>
#include <string_view>

#include "exa/base/inline_string.h"
#include "exa/model/exchange.h"

namespace exa {

// What went wrong, of low cardinality.
enum class ErrorType : std::uint8_t {
  kNone,
  kStatusCode,  // the status code itself is the type
  kConnectionReset,
  kTimeout,
  kAborted,
};

ErrorType error_type_of(const Exchange& exchange);
// "500", "connection_reset"; empty for kNone.
std::string error_type_text(ErrorType type, std::uint16_t status);

std::string_view method_text(Method method);                // "GET", "_OTHER"
std::string_view protocol_version_text(Protocol protocol);  // "1.1"; empty if unknown
constexpr std::string_view scheme_text(bool tls) {
  return tls ? "https" : "http";
}

// The server a client talks to, as the request names it: lower case, without the port, which is
// returned. An empty host means that the request names none that is valid; the remote address
// stands for it then. In place: this is on the way of every request.
using ServerHost = InlineString<46>;
std::uint16_t name_server(const Exchange& client_exchange, ServerHost& host);

// Valid UTF-8 out of whatever a process calls itself: other bytes and controls become '?'.
std::string valid_text(std::string_view text);

}  // namespace exa
