#include "agent/metrics/series_key.h"

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

}  // namespace

const MetricDescription& describe(const SeriesKey& key) {
  return semantics_of(key.convention).metrics[static_cast<std::size_t>(key.kind)];
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
                   std::uint64_t{overflow} << 24 | std::uint64_t{server.port} << 32 |
                   std::uint64_t{server.is_address} << 48 |
                   std::uint64_t{static_cast<std::uint8_t>(convention)} << 56;
  const auto fixed = fold(who ^ kMix1, how ^ kMix2);
  return server.name == kNoName ? fixed : fold(fixed ^ server.name, kMix3);
}

SeriesKey SeriesKeys::of(const Exchange& exchange, MetricKind kind) {
  SeriesKey key;
  key.convention = exchange.convention;
  key.kind = kind;
  key.target = exchange.target;
  const auto& semantics = semantics_of(exchange.convention);
  if (semantics.metrics[static_cast<std::size_t>(kind)].by_server) {
    key.server = servers_.of(exchange);
    if (key.server.name == kNoName) {
      counters_.add(Counter::kOverflowNames);
      return overflow_key(key.convention, kind, key.target);
    }
  }
  semantics.fill_key(exchange, kind, key);
  return key;
}

SeriesKey overflow_key(Convention convention, MetricKind kind, TargetId target) {
  SeriesKey key;
  key.convention = convention;
  key.kind = kind;
  key.overflow = true;
  key.target = target;
  return key;
}

Attributes attributes_of(const SeriesKey& key, const ServerHost& server) {
  if (key.overflow) return {{"otel.metric.overflow", true}};
  return semantics_of(key.convention).point_attributes(key, server, key.kind);
}

}  // namespace exa
