// Which series an exchange counts in: fixed size, compared and hashed without an allocation and
// without a text.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "agent/metrics/bounds.h"
#include "agent/metrics/names.h"
#include "agent/metrics/server_names.h"
#include "agent/semantics/semantics.h"
#include "agent/telemetry/counters.h"
#include "exa/model/attribute.h"
#include "exa/model/exchange.h"

namespace exa {

// A series is of an operation, measured in one way, at one target.
struct SeriesKey : OperationKey {
  TargetId target = kNoTarget;
  MetricKind kind = MetricKind::kServerDuration;
  bool overflow = false;  // of what found no place; else only convention, kind and target are set
  std::array<std::uint8_t, 2> reserved_too{};

  bool operator==(const SeriesKey& other) const {
    return std::memcmp(this, &other, sizeof other) == 0;
  }
  [[nodiscard]] std::uint64_t hash() const;
};
static_assert(std::has_unique_object_representations_v<SeriesKey> && sizeof(SeriesKey) == 24,
              "compared and hashed as memory");

// Of the metric of that kind.
SeriesKey overflow_key(Convention convention, MetricKind kind, TargetId target);

// Makes keys; the texts in them are told by numbers of its own, for as long as they are held.
// Capture thread only, owned by SeriesRegistry.
class SeriesKeys {
 public:
  SeriesKeys(std::size_t max_names, Counters& counters)
      : counters_(counters), names_(max_names), servers_(names_) {}

  // That of its target's overflow where there is no place for a name, counted.
  [[nodiscard]] SeriesKey of(const Exchange& exchange, MetricKind kind);
  [[nodiscard]] SeriesKey duration(const Exchange& exchange) {
    return of(exchange, exchange.role == Role::kClient ? MetricKind::kClientDuration
                                                       : MetricKind::kServerDuration);
  }

  // By each series that has the key.
  void hold(const SeriesKey& key) {
    if (key.server.name != kNoName) names_.hold(key.server.name);
  }
  void release(const SeriesKey& key) {
    if (key.server.name != kNoName) names_.release(key.server.name);
  }
  // No series came of it.
  void drop(const SeriesKey& key) { names_.drop_unless_held(key.server.name); }

  [[nodiscard]] const Names& names() const { return names_; }

 private:
  Counters& counters_;
  Names names_;
  ServerNames servers_;
};

const MetricDescription& describe(const SeriesKey& key);
const Bounds& bounds_of(MetricKind kind);

// Attributes of the series' points. server: the text of the key's name.
Attributes attributes_of(const SeriesKey& key, const ServerHost& server = {});

}  // namespace exa
