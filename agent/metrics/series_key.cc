#include "agent/metrics/series_key.h"

#include <array>
#include <string>

namespace exa {
namespace {

std::uint64_t load64(const char* bytes) {
  std::uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// The high and low half of the 128-bit product, folded: full mixing for one multiplication.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

constexpr std::uint64_t kMix1 = 0x9e3779b97f4a7c15;
constexpr std::uint64_t kMix2 = 0xd6e8feb86659fd93;

// Textual addresses of clients without a host are rare; they are made once a request all the same,
// which is cheaper than a second kind of key.
void set_server(SeriesKey& key, const Exchange& exchange) {
  const auto server = server_name_of(exchange);
  key.server_port = server.port;
  if (!server.host.empty()) {
    key.server_name = server.host;
    return;
  }
  key.server_is_address = true;
  const auto& address = exchange.remote.address;
  key.server_name.assign({reinterpret_cast<const char*>(address.data()),
                          exchange.remote.is_ipv6 ? std::size_t{16} : std::size_t{4}});
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
  const auto* fixed = reinterpret_cast<const char*>(this);
  std::uint64_t h = fold(load64(fixed) ^ kMix1, load64(fixed + 8) ^ kMix2);
  const auto name = server_name.view();
  if (name.empty()) return h;
  std::size_t at = 0;
  for (; at + 8 <= name.size(); at += 8)
    h = fold(h ^ load64(name.data() + at), kMix1);
  std::uint64_t rest = name.size();
  for (; at < name.size(); ++at)
    rest = rest << 8 | static_cast<unsigned char>(name[at]);
  return fold(h ^ rest, kMix2);
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
