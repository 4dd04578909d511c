#include "agent/metrics/series_key.h"

#include <array>
#include <bit>
#include <string>

namespace exa {
namespace {

// The high and low half of the 128-bit product, folded: full mixing for one multiplication.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

constexpr std::uint64_t kMix1 = 0x9e3779b97f4a7c15;
constexpr std::uint64_t kMix2 = 0xd6e8feb86659fd93;
constexpr std::uint64_t kMix3 = 0xa0761d6478bd642f;

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

// Textual addresses of clients without a host are rare; they are made once a request all the same,
// which is cheaper than a second kind of key. An address has one key however the request tells it,
// or one series would stand on the page twice.
void set_server(SeriesKey& key, const Exchange& exchange) {
  key.server_port = name_server(exchange, key.server_name);
  auto server = unmapped(exchange.remote);
  if (!key.server_name.empty() && !read_ipv4(key.server_name.view(), server)) return;
  key.server_is_address = true;
  key.server_name.assign({reinterpret_cast<const char*>(server.address.data()),
                          server.is_ipv6 ? std::size_t{16} : std::size_t{4}});
}

std::string server_text(const SeriesKey& key) {
  if (!key.server_is_address) return std::string(key.server_name.view());
  IpEndpoint endpoint;
  const auto bytes = key.server_name.view();
  endpoint.is_ipv6 = bytes.size() == 16;
  std::memcpy(endpoint.address.data(), bytes.data(), bytes.size());
  return address_text(endpoint);
}

}  // namespace

const MetricDescription& describe(MetricKind kind) {
  static constexpr std::array<MetricDescription, kMetricKinds> kDescriptions = {{
      {"http.server.request.duration", "Duration of HTTP server requests.", "s"},
      {"http.client.request.duration", "Duration of HTTP client requests.", "s"},
      {"exemplar_agent.http.server.queue.duration",
       "Time between the arrival of a request in the socket and its reading by the server.", "s"},
  }};
  return kDescriptions[static_cast<std::size_t>(kind)];
}

const Bounds& bounds_of(MetricKind kind) {
  return kind == MetricKind::kServerQueue ? queue_duration_bounds() : http_duration_bounds();
}

std::uint64_t SeriesKey::hash() const {
  // Field by field: a key was mostly just written so, and a processor reads what it has written
  // last only in the pieces in which it was written.
  const auto who = std::uint64_t{target} | std::uint64_t{status} << 32 |
                   std::uint64_t{static_cast<std::uint8_t>(kind)} << 48 |
                   std::uint64_t{static_cast<std::uint8_t>(method)} << 56;
  const auto how = std::uint64_t{static_cast<std::uint8_t>(protocol)} |
                   std::uint64_t{static_cast<std::uint8_t>(error)} << 8 | std::uint64_t{tls} << 16 |
                   std::uint64_t{overflow} << 24 | std::uint64_t{server_port} << 32 |
                   std::uint64_t{server_is_address} << 48;
  const auto fixed = fold(who ^ kMix1, how ^ kMix2);
  if (server_name.empty()) return fixed;
  const auto name = std::bit_cast<std::array<std::uint64_t, sizeof(server_name) / 8>>(server_name);
  // Names are text, so no word of one is one of the constants and makes its neighbour count for
  // nothing.
  return fold(fixed ^ fold(name[0] ^ kMix1, name[1] ^ kMix2),
              fold(name[2] ^ kMix2, name[3] ^ kMix3) ^ fold(name[4] ^ kMix3, name[5] ^ kMix1));
}

SeriesKey duration_key(const Exchange& exchange) {
  const bool client = exchange.role == Role::kClient;
  SeriesKey key;
  key.target = exchange.target;
  key.status = exchange.status;
  key.kind = client ? MetricKind::kClientDuration : MetricKind::kServerDuration;
  key.method = exchange.method;
  key.protocol = exchange.protocol;
  key.error = error_type_of(exchange);
  key.tls = exchange.tls;
  if (client) set_server(key, exchange);
  return key;
}

SeriesKey queue_key(const Exchange& exchange) {
  SeriesKey key;
  key.target = exchange.target;
  key.kind = MetricKind::kServerQueue;
  key.method = exchange.method;
  key.protocol = exchange.protocol;
  key.tls = exchange.tls;
  return key;
}

SeriesKey overflow_key(MetricKind kind, TargetId target) {
  SeriesKey key;
  key.target = target;
  key.kind = kind;
  key.overflow = true;
  return key;
}

Attributes attributes_of(const SeriesKey& key) {
  if (key.overflow) return {{"otel.metric.overflow", true}};
  Attributes attributes{{"http.request.method", std::string(method_text(key.method))}};
  attributes.push_back({"url.scheme", std::string(scheme_text(key.tls))});
  if (key.status != 0)
    attributes.push_back({"http.response.status_code", std::int64_t{key.status}});
  if (key.error != ErrorType::kNone)
    attributes.push_back({"error.type", error_type_text(key.error, key.status)});
  if (const auto version = protocol_version_text(key.protocol); !version.empty())
    attributes.push_back({"network.protocol.version", std::string(version)});
  if (key.kind == MetricKind::kClientDuration) {
    attributes.push_back({"server.address", server_text(key)});
    attributes.push_back({"server.port", std::int64_t{key.server_port}});
  }
  return attributes;
}

}  // namespace exa
