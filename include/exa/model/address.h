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

// The IPv4 endpoint that an IPv4-mapped IPv6 one means; any other as it is.
IpEndpoint unmapped(const IpEndpoint& endpoint);

// "127.0.0.1" or "::1"; an IPv4-mapped IPv6 address prints as IPv4.
std::string address_text(const IpEndpoint& endpoint);

}  // namespace exa
