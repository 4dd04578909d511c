#include "exa/model/address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace exa {

IpEndpoint unmapped(const IpEndpoint& endpoint) {
  if (!endpoint.is_ipv6 ||
      !std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), endpoint.address.begin()))
    return endpoint;
  IpEndpoint plain{.address = {}, .port = endpoint.port};
  std::copy_n(endpoint.address.begin() + 12, 4, plain.address.begin());
  return plain;
}

std::string address_text(const IpEndpoint& endpoint) {
  const auto plain = unmapped(endpoint);
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(plain.is_ipv6 ? AF_INET6 : AF_INET, plain.address.data(), text, sizeof text);
  return text;
}

}  // namespace exa
