#include "agent/metrics/series_key.h"

namespace exa {
const MetricDescription& describe(const SeriesKey& key) {
  return semantics_of(key.convention).metrics[static_cast<std::size_t>(key.kind)];
}

SeriesKey SeriesKeys::of(const Exchange& exchange, MetricKind kind) {
  SeriesKey key;  // made where the caller wants it: a copy would wait for what was just written
  key.convention = exchange.operation.convention;
  key.kind = kind;
  key.target = exchange.target;
  if (describe(key).by_server) {
    key.server = servers_.of(exchange);
    if (key.server.name == kNoName) {
      counters_.add(Counter::kOverflowNames);
      key.overflow = true;
      return key;
    }
  }
  semantics_of(exchange.operation.convention).fill_key(exchange, kind, key);
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
