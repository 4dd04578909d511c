#include "agent/metrics/series_key.h"

namespace exa {

const MetricDescription& describe(const SeriesKey& key) {
  return semantics_of(key.convention).metrics[key.kind];
}

const MetricDescription& describe(const SeriesKey& key, AccountMetric metric) {
  return semantics_of(key.convention).account_metrics[metric];
}

SeriesKey SeriesKeys::of(const Exchange& exchange, MetricKind kind) {
  // Made where the caller wants it, by being all that is ever returned: a copy would wait for what
  // was just written.
  SeriesKey key;
  key.convention = exchange.operation.convention;
  key.kind = kind;
  key.target = exchange.target;
  if (describe(key).by_server) key.server = servers_.of(exchange);
  const bool has_server = !describe(key).by_server || key.server.name != kNoName;
  if (has_server && add_name(exchange, key)) {
    semantics_of(exchange.operation.convention).fill_key(exchange, kind, key);
  } else {
    counters_.add(Counter::kOverflowNames);
    drop(key);
    key = overflow_key(key.convention, kind, key.target);
  }
  return key;
}

// False: there is no place for it.
bool SeriesKeys::add_name(const Exchange& exchange, SeriesKey& key) {
  const auto key_name = semantics_of(key.convention).key_name;
  if (key_name == nullptr) return true;
  const auto text = key_name(exchange);
  if (text.empty()) return true;
  key.name = names_.of(text);
  return key.name != kNoName;
}

SeriesKey overflow_key(Convention convention, MetricKind kind, TargetId target) {
  SeriesKey key;
  key.convention = convention;
  key.kind = kind;
  key.overflow = true;
  key.target = target;
  return key;
}

Attributes attributes_of(const SeriesKey& key, const KeyTexts& texts) {
  if (key.overflow) return {{"otel.metric.overflow", true}};
  return semantics_of(key.convention).point_attributes(key, texts, key.kind);
}

}  // namespace exa
