// Who the server of a client's request is, as a key tells it. What requests to one server say of it
// is remembered, so that only the first one is read, hashed and looked up.
// Capture thread only, owned by SeriesKeys. kRemembered places, 22 KiB; one that is taken by
// another server costs the next request the way of a first one.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/metrics/names.h"
#include "exa/model/exchange.h"

namespace exa {

class ServerNames {
 public:
  explicit ServerNames(Names& names) : names_(names), remembered_(kRemembered) {}

  // kNoName in it: there is no place for its name.
  [[nodiscard]] ServerKey of(const Exchange& client_exchange) {
    auto& known = remembered_[place_of(client_exchange)];
    if (known.says(client_exchange) && names_.version(known.key.name) == known.version) [[likely]]
      return known.key;
    return look_up(client_exchange, known);
  }

 private:
  static constexpr std::size_t kRemembered = 256;
  struct Remembered {
    decltype(Exchange::host) host;
    bool tls = false;
    IpEndpoint remote;
    ServerKey key;
    std::uint32_t version = 0;

    // All that the key is made from.
    [[nodiscard]] bool says(const Exchange& exchange) const {
      return key.name != kNoName && host == exchange.host && host.cut() == exchange.host.cut() &&
             remote == exchange.remote && tls == exchange.tls;
    }
  };

  static std::size_t place_of(const Exchange& exchange) {
    const auto address = std::bit_cast<std::array<std::uint64_t, 2>>(exchange.remote.address);
    const auto mixed = (address[0] ^ std::rotl(address[1], 32) ^
                        std::uint64_t{exchange.remote.port} << 40 ^ exchange.host.view().size()) *
                       0x9e3779b97f4a7c15;
    return mixed >> 56;
  }
  static_assert(kRemembered == 256);
  ServerKey look_up(const Exchange& client_exchange, Remembered& place);

  Names& names_;
  std::vector<Remembered> remembered_;
};

}  // namespace exa
