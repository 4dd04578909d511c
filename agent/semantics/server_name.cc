#include "agent/semantics/server_name.h"

#include <algorithm>
#include <array>
#include <cstring>

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

// "192.0.2.7", in that one form only. Done once a request, so not by inet_pton, which wants a copy.
bool read_ipv4(std::string_view text, IpEndpoint& endpoint) {
  std::array<std::uint8_t, 16> address{};
  std::size_t at = 0;
  for (std::size_t part = 0; part < 4; ++part) {
    if (part > 0) {
      if (at == text.size() || text[at] != '.') return false;
      ++at;
    }
    const auto begin = at;
    unsigned value = 0;
    while (at < text.size() && at - begin < 3 && text[at] >= '0' && text[at] <= '9')
      value = value * 10 + static_cast<unsigned>(text[at++] - '0');
    const bool leading_zero = at - begin > 1 && text[begin] == '0';
    if (at == begin || leading_zero || value > 255) return false;
    address[part] = static_cast<std::uint8_t>(value);
  }
  if (at != text.size()) return false;
  endpoint = {.address = address, .port = endpoint.port};
  return true;
}

}  // namespace

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

// An address has one key however the request tells it, or one series would stand on the page twice.
Server server_of(const Exchange& client_exchange) {
  Server server;
  server.port = name_server(client_exchange, server.host);
  const auto name = server.host.view();
  if (!name.empty() && (name.front() < '0' || name.front() > '9')) return server;
  auto address = unmapped(client_exchange.remote);
  if (!name.empty() && !read_ipv4(name, address)) return server;
  server.is_address = true;
  server.host.assign({reinterpret_cast<const char*>(address.address.data()),
                      address.is_ipv6 ? std::size_t{16} : std::size_t{4}});
  return server;
}

std::string server_text(std::string_view host, bool is_address) {
  if (!is_address) return std::string(host);
  IpEndpoint endpoint;
  endpoint.is_ipv6 = host.size() == 16;
  std::memcpy(endpoint.address.data(), host.data(), std::min(host.size(), endpoint.address.size()));
  return address_text(endpoint);
}

void add_server(const OperationKey& key, const KeyTexts& texts, Attributes& attributes) {
  if (key.server.name == kNoName) return;
  attributes.push_back({"server.address", server_text(texts.server.view(), key.server.is_address)});
  attributes.push_back({"server.port", std::int64_t{key.server.port}});
}

}  // namespace exa
