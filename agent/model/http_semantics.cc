#include "agent/model/http_semantics.h"

#include <array>
#include <cerrno>

namespace exa {
namespace {

// Of the characters an authority may have (RFC 3986 reg-name, IP literals): the lower-case form;
// zero for all others.
constexpr std::array<char, 256> kHostCharacter = [] {
  std::array<char, 256> table{};
  for (int c = 'a'; c <= 'z'; ++c)
    table[static_cast<std::size_t>(c)] = static_cast<char>(c);
  for (int c = 'A'; c <= 'Z'; ++c)
    table[static_cast<std::size_t>(c)] = static_cast<char>(c + 32);
  for (int c = '0'; c <= '9'; ++c)
    table[static_cast<std::size_t>(c)] = static_cast<char>(c);
  for (const char c : {'.', '-', '_', '~'})
    table[static_cast<unsigned char>(c)] = c;
  return table;
}();

// Port digits up to the end of text; zero if there are none or they are no port.
std::uint16_t parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5) return 0;
  std::uint32_t port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return 0;
    port = port * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return port <= 65535 ? static_cast<std::uint16_t>(port) : std::uint16_t{0};
}

}  // namespace

ErrorType error_type_of(const Exchange& exchange) {
  if (exchange.status >= 500 || (exchange.role == Role::kClient && exchange.status >= 400))
    return ErrorType::kStatusCode;
  if (exchange.outcome != Outcome::kAbortedByPeer && exchange.outcome != Outcome::kAbortedByUs)
    return ErrorType::kNone;
  if (exchange.socket_error == ECONNRESET) return ErrorType::kConnectionReset;
  if (exchange.socket_error == ETIMEDOUT) return ErrorType::kTimeout;
  return ErrorType::kAborted;
}

std::string error_type_text(ErrorType type, std::uint16_t status) {
  switch (type) {
    case ErrorType::kNone:
      return {};
    case ErrorType::kStatusCode:
      return std::to_string(status);
    case ErrorType::kConnectionReset:
      return "connection_reset";
    case ErrorType::kTimeout:
      return "timeout";
    case ErrorType::kAborted:
      return "aborted";
  }
  return {};
}

std::string_view method_text(Method method) {
  switch (method) {
    case Method::kOther:
      return "_OTHER";
    case Method::kGet:
      return "GET";
    case Method::kHead:
      return "HEAD";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kDelete:
      return "DELETE";
    case Method::kConnect:
      return "CONNECT";
    case Method::kOptions:
      return "OPTIONS";
    case Method::kTrace:
      return "TRACE";
    case Method::kPatch:
      return "PATCH";
    case Method::kQuery:
      return "QUERY";
  }
  return "_OTHER";
}

std::string_view protocol_version_text(Protocol protocol) {
  switch (protocol) {
    case Protocol::kUnknown:
      return {};
    case Protocol::kHttp10:
      return "1.0";
    case Protocol::kHttp11:
      return "1.1";
  }
  return {};
}

std::uint16_t name_server(const Exchange& client_exchange, ServerHost& host) {
  host = {};
  auto port = client_exchange.remote.port;
  // The socket under a TLS stream may be unknown: then the name alone tells the port.
  constexpr std::uint16_t kHttpsPort = 443;
  const auto authority = client_exchange.host.view();
  // An IP literal in brackets says no more than the remote address; a cut name would be wrong.
  if (authority.empty() || authority.front() == '[' || client_exchange.host.cut()) return port;
  std::size_t length = 0;
  host.assign_by([&](char* lower) {
    for (; length < authority.size(); ++length) {
      lower[length] = kHostCharacter[static_cast<unsigned char>(authority[length])];
      if (lower[length] == 0) break;
    }
    return length;
  });
  if (length < authority.size()) {
    const auto named =
        authority[length] == ':' ? parse_port(authority.substr(length + 1)) : std::uint16_t{0};
    if (named == 0) host = {};
    return named == 0 ? port : named;
  }
  if (port == 0 && client_exchange.tls) port = kHttpsPort;
  return port;
}

std::string valid_text(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xc2 && lead < 0xe0 ? 2
                               : lead >= 0xe0 && lead < 0xf0 ? 3
                               : lead >= 0xf0 && lead < 0xf5 ? 4
                                                             : 0;
    bool valid = length != 0 && at + length <= text.size() && lead >= 0x20 && lead != 0x7f;
    for (std::size_t i = 1; valid && i < length; ++i)
      valid = (static_cast<unsigned char>(text[at + i]) & 0xc0) == 0x80;
    if (valid && length >= 3) {
      // Overlong forms, surrogates and code points past U+10FFFF show in the second byte.
      const auto second = static_cast<unsigned char>(text[at + 1]);
      valid = !(lead == 0xe0 && second < 0xa0) && !(lead == 0xed && second >= 0xa0) &&
              !(lead == 0xf0 && second < 0x90) && !(lead == 0xf4 && second >= 0x90);
    }
    if (valid) {
      result.append(text, at, length);
      at += length;
    } else {
      result += '?';
      ++at;
    }
  }
  return result;
}

}  // namespace exa
