#include "agent/trace/ids/id_generator.h"

#include <algorithm>
#include <cstring>

namespace exa {
namespace {

// address 16, port 2, twice; connection and sequence 8; time and socket for requests without a
// sequence
constexpr std::size_t kKeyBytes = 2 * 18 + 8 + 16;
using RequestKey = std::array<std::uint8_t, kKeyBytes>;

// What an id is of; the last byte of what is hashed for it.
enum class Tag : std::uint8_t { kTrace = 't', kServerSpan = 's', kClientSpan = 'c' };

// An IPv4-mapped IPv6 address (a dual-stack listener's view) becomes the IPv4 address it stands
// for, as the other end may hold a plain IPv4 socket.
std::array<std::uint8_t, 16> canonical_address(const IpEndpoint& endpoint) {
  std::array<std::uint8_t, 16> address{};
  if (!endpoint.is_ipv6) {
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.begin());
    std::copy_n(endpoint.address.begin(), 4, address.begin() + 12);
  } else {
    address = endpoint.address;
  }
  return address;
}

template <typename T>
std::uint8_t* put(std::uint8_t* at, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    *at++ = static_cast<std::uint8_t>(value >> (8 * i));
  return at;
}

std::uint8_t* put_endpoint(std::uint8_t* at, const IpEndpoint& endpoint) {
  const auto address = canonical_address(endpoint);
  at = std::copy(address.begin(), address.end(), at);
  return put(at, endpoint.port);
}

RequestKey request_key(const Exchange& exchange) {
  const bool is_client = exchange.role == Role::kClient;
  RequestKey key{};
  auto* at = put_endpoint(key.data(), is_client ? exchange.local : exchange.remote);
  at = put_endpoint(at, is_client ? exchange.remote : exchange.local);
  at = put(put(at, exchange.connection_number), exchange.request_sequence);
  if (!has_place_on_the_wire(exchange)) {
    // Unknown: the other end cannot be matched, but ids of one connection must still differ.
    put(put(at, exchange.read.ns), exchange.socket);
  }
  return key;
}

template <std::size_t Bytes>
Id<Bytes> id_of(const SipHash128Prefix& request, Tag tag) {
  const auto digest = request.digest(std::array{static_cast<std::uint8_t>(tag)});
  Id<Bytes> id;
  std::copy_n(digest.begin(), Bytes, id.bytes.begin());
  if (!id.valid()) id.bytes.back() = 1;
  return id;
}

}  // namespace

bool has_place_on_the_wire(const Exchange& exchange) {
  if (exchange.local.port == 0) return false;
  return exchange.request_sequence > (exchange.tls ? kMaxPlaceWithoutSequence : 0);
}

void IdGenerator::name(Exchange& exchange) const {
  if (exchange.span_id.valid()) return;
  const SipHash128Prefix request(seed_, request_key(exchange));
  exchange.span_id =
      id_of<8>(request, exchange.role == Role::kClient ? Tag::kClientSpan : Tag::kServerSpan);
  if (exchange.has_context) return;
  exchange.trace_id = id_of<16>(request, Tag::kTrace);
  exchange.trace_flags = kTraceRandom;
}

bool same_request(const Exchange& client, const Exchange& server) {
  return client.role == Role::kClient && server.role == Role::kServer &&
         has_place_on_the_wire(client) && client.request_sequence == server.request_sequence &&
         client.connection_number == server.connection_number &&
         client.local.port == server.remote.port && client.remote.port == server.local.port &&
         canonical_address(client.local) == canonical_address(server.remote) &&
         canonical_address(client.remote) == canonical_address(server.local);
}

}  // namespace exa
