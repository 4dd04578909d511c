// Which series an exchange counts in: fixed size, compared and hashed without an allocation.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <type_traits>

#include "agent/metrics/bounds.h"
#include "agent/semantics/semantics.h"
#include "exa/model/attribute.h"
#include "exa/model/exchange.h"

namespace exa {

// A series is of an operation, measured in one way, at one target.
struct SeriesKey : OperationKey {
  MetricKind kind = MetricKind::kServerDuration;
  bool overflow = false;  // of what found no place; else only convention, kind and target are set
  TargetId target = kNoTarget;

  bool operator==(const SeriesKey& other) const {
    using Words = std::array<std::uint64_t, 8>;
    return std::bit_cast<Words>(*this) == std::bit_cast<Words>(other);
  }
  [[nodiscard]] std::uint64_t hash() const;
};
static_assert(std::has_unique_object_representations_v<SeriesKey> && sizeof(SeriesKey) == 64,
              "compared and hashed as memory");

SeriesKey duration_key(const Exchange& exchange);
SeriesKey queue_key(const Exchange& exchange);
// Of the metric in which the key counts.
SeriesKey overflow_key(const SeriesKey& of, TargetId target);

const MetricDescription& describe(const SeriesKey& key);
const Bounds& bounds_of(MetricKind kind);

// Attributes of the series' points.
Attributes attributes_of(const SeriesKey& key);

}  // namespace exa
