// Which series an exchange counts in: fixed size, compared and hashed without an allocation.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "agent/metrics/bounds.h"
#include "agent/model/http_semantics.h"
#include "exa/model/attribute.h"
#include "exa/model/exchange.h"

namespace exa {

enum class MetricKind : std::uint8_t { kServerDuration, kClientDuration, kServerQueue };
inline constexpr std::size_t kMetricKinds = 3;

struct MetricDescription {
  const char* name;
  const char* description;
  const char* unit;
};
const MetricDescription& describe(MetricKind kind);
const Bounds& bounds_of(MetricKind kind);

struct SeriesKey {
  TargetId target = kNoTarget;
  std::uint16_t status = 0;
  MetricKind kind = MetricKind::kServerDuration;
  Method method = Method::kOther;
  Protocol protocol = Protocol::kUnknown;
  ErrorType error = ErrorType::kNone;
  bool tls = false;
  bool overflow = false;  // the series of what found no place; all else but target and kind is zero
  std::uint16_t server_port = 0;   // clients only
  bool server_is_address = false;  // clients only: server_name is the text of remote
  std::uint8_t reserved = 0;
  ServerHost server_name;  // clients only; never cut

  bool operator==(const SeriesKey& other) const {
    return std::memcmp(this, &other, sizeof other) == 0;
  }
  [[nodiscard]] std::uint64_t hash() const;
};
static_assert(std::has_unique_object_representations_v<SeriesKey> && sizeof(SeriesKey) == 64,
              "compared and hashed as memory");

SeriesKey duration_key(const Exchange& exchange);
SeriesKey queue_key(const Exchange& exchange);
SeriesKey overflow_key(MetricKind kind, TargetId target);

// Attributes of the series' points (semantic conventions 1.44).
Attributes attributes_of(const SeriesKey& key);

}  // namespace exa
