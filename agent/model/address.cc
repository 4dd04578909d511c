#include "exa/model/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace exa {

std::string address_text(const IpEndpoint& endpoint) {
  static constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0,    0,
                                                           0, 0, 0, 0, 0xff, 0xff};
  const bool mapped =
      endpoint.is_ipv6 && std::equal(kMapped.begin(), kMapped.end(), endpoint.address.begin());
  char text[INET6_ADDRSTRLEN] = {};
  const auto* bytes = endpoint.address.data() + (mapped ? 12 : 0);
  inet_ntop(endpoint.is_ipv6 && !mapped ? AF_INET6 : AF_INET, bytes, text, sizeof text);
  return text;
}

}  // namespace exa
