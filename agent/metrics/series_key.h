// Which series an exchange counts in: fixed size, compared and hashed without an allocation and
// without a text.
#pragma once

#include <cstdint>

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

  // All of it in registers: a key was mostly just written, field by field, and a processor reads
  // what it has written last only in the pieces in which it was written.
  struct Words {
    std::uint64_t who;
    std::uint64_t how;
    std::uint64_t server;
    bool operator==(const Words&) const = default;
    [[nodiscard]] std::uint64_t hash() const;
  };
  [[nodiscard]] Words words() const {
    return {.who = std::uint64_t{target} | std::uint64_t{status} << 32 |
                   std::uint64_t{static_cast<std::uint8_t>(kind)} << 48 |
                   std::uint64_t{static_cast<std::uint8_t>(method)} << 56,
            .how = std::uint64_t{static_cast<std::uint8_t>(protocol_version)} |
                   std::uint64_t{static_cast<std::uint8_t>(error)} << 8 |
                   std::uint64_t{static_cast<std::uint8_t>(convention)} << 16 |
                   std::uint64_t{tls} << 24 | std::uint64_t{overflow} << 25 |
                   std::uint64_t{name} << 32,
            .server = std::uint64_t{server.name} | std::uint64_t{server.port} << 32 |
                      std::uint64_t{server.is_address} << 48};
  }
  bool operator==(const SeriesKey& other) const { return words() == other.words(); }
  [[nodiscard]] std::uint64_t hash() const { return words().hash(); }
};
static_assert(sizeof(SeriesKey) <= 32);

// The high and low half of the 128-bit product, folded: full mixing for one multiplication.
inline std::uint64_t folded(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t SeriesKey::Words::hash() const {
  const auto fixed = folded(who ^ 0x9e3779b97f4a7c15, how ^ 0xd6e8feb86659fd93);
  return server == 0 ? fixed : folded(fixed ^ server, 0xa0761d6478bd642f);
}

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
  // That of the exchange's duration.
  [[nodiscard]] SeriesKey duration(const Exchange& exchange) {
    return of(exchange, exchange.role == Role::kClient ? MetricKind::kClientDuration
                                                       : MetricKind::kServerDuration);
  }

  // By each series that has the key.
  void hold(const SeriesKey& key) {
    if (key.server.name != kNoName) names_.hold(key.server.name);
    if (key.name != kNoName) names_.hold(key.name);
  }
  void release(const SeriesKey& key) {
    if (key.server.name != kNoName) names_.release(key.server.name);
    if (key.name != kNoName) names_.release(key.name);
  }
  // No series came of it.
  void drop(const SeriesKey& key) {
    names_.drop_unless_held(key.server.name);
    names_.drop_unless_held(key.name);
  }

  [[nodiscard]] const Names& names() const { return names_; }

 private:
  bool add_name(const Exchange& exchange, SeriesKey& key);

  Counters& counters_;
  Names names_;
  ServerNames servers_;
};

const MetricDescription& describe(const SeriesKey& key);
// Of the metric that the accounts of its exchanges make; no name: there is none.
const MetricDescription& describe(const SeriesKey& key, AccountMetric metric);

// Attributes of the series' points. texts: those of the key's numbers.
Attributes attributes_of(const SeriesKey& key, const KeyTexts& texts = {});

}  // namespace exa
