// An IP address with a port, as text and as a key.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace exa {

struct IpEndpoint {
  std::array<std::uint8_t, 16> address{};  // network order; IPv4 in the first 4 bytes, rest zero
  std::uint16_t port = 0;                  // host order
  bool is_ipv6 = false;
  std::uint8_t reserved = 0;
  auto operator<=>(const IpEndpoint&) const = default;
};
static_assert(sizeof(IpEndpoint) == 20);

// What stands before the four bytes of an IPv4 address where that is written as an IPv6 one.
inline constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0,    0,
                                                               0, 0, 0, 0, 0xff, 0xff};

// The IPv4 endpoint that an IPv4-mapped IPv6 one means; any other as it is.
IpEndpoint unmapped(const IpEndpoint& endpoint);

// "127.0.0.1" or "::1"; an IPv4-mapped IPv6 address prints as IPv4.
std::string address_text(const IpEndpoint& endpoint);

// "127.0.0.1:80", "[::1]:80", "shop:80".
inline std::string host_port_text(const std::string& host, std::uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace exa
