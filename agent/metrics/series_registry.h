// Finds the series of a request and counts it there. Holds the deltas of the open window; what is
// cumulative lives with the publisher.
//
// Capture thread only, owned by RequestPipeline. Bounds: max_series_per_metric for each metric, a
// quota for each service in it; a reserve of its own for programs whose processes pass, in which no
// service may hold more than is free; and a reserve for overflow series. No allocation and no lock
// in steady state; memory of unused series is never touched.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "agent/metrics/distribution.h"
#include "agent/metrics/fair_shares.h"
#include "agent/metrics/metric_table.h"
#include "agent/metrics/series_key.h"
#include "agent/telemetry/counters.h"
#include "exa/base/hash_index.h"

namespace exa {

struct SeriesLimits {
  std::uint32_t max_series_per_metric = 2000;
  std::uint32_t max_series_per_service = 1000;         // of one metric
  std::uint32_t max_program_series_per_metric = 500;   // beside the others
  std::uint32_t max_overflow_series_per_metric = 256;  // one a target, then one for the rest
  std::uint32_t max_names = 8192;                      // of servers and operations, in keys
  std::uint32_t expire_after_windows = 30;             // without a request
  // Of programs that counted in a single window, while more than a quarter of their reserve is in
  // use.
  std::uint32_t expire_crowded_after_windows = 2;
};

using SeriesIndex = std::uint32_t;
using SeriesUid = std::uint64_t;  // never reused; a series that returns is a new one

// A quota counts by service and not by process: prefork servers have many.
using ServiceHash = std::uint32_t;

struct Series {
  SeriesKey key;
  SeriesKey::Words words{};  // of the key
  SeriesUid uid = 0;
  ServiceHash service = 0;
  std::uint32_t idle_windows = 0;
  bool counted_before = false;  // in a window that is closed
  bool returned = false;        // in more than one
  bool active = false;          // counted in the open window
  bool live = false;
  Distribution delta;
};

class SeriesRegistry {
 public:
  SeriesRegistry(const SeriesLimits& limits, Counters& counters);

  struct Recorded {
    SeriesIndex series;
    std::uint8_t bucket;
  };
  Recorded record(const SeriesKey& key, ServiceHash service, std::uint64_t value) {
    const auto index = find_or_create(key, service);
    auto& series = series_[index];
    if (!series.active) [[unlikely]] {
      series.active = true;
      active_.push_back(index);
    }
    const auto bucket = bounds_[static_cast<std::size_t>(key.kind)]->bucket(value);
    series.delta.add(bucket, value);
    return {index, bucket};
  }

  // Into an overflow series: for what found no place before it came here.
  Recorded record_overflow(const SeriesKey& overflow, std::uint64_t value) {
    counters_.add(Counter::kSeriesOverflow);
    return record(overflow, 0, value);
  }
  // No series of a process finds room any more, whatever its service.
  [[nodiscard]] bool is_full(MetricKind kind) const {
    return series_of_metric_[static_cast<std::size_t>(kind)] >= limits_.max_series_per_metric;
  }
  [[nodiscard]] bool holds(const SeriesKey& key) const {
    return find(key, key.hash()) != HashIndex::kNone;
  }

  // Makes the keys. A text lives while a series of its key does.
  [[nodiscard]] SeriesKeys& keys() { return keys_; }
  [[nodiscard]] const SeriesKeys& keys() const { return keys_; }

  // Series counted in the open window, in order of their first request in it.
  [[nodiscard]] std::span<const SeriesIndex> active() const { return active_; }
  [[nodiscard]] const Series& at(SeriesIndex index) const { return series_[index]; }
  [[nodiscard]] std::size_t live_series() const { return live_; }
  // One more than the largest index in use: the length of arrays kept beside the registry.
  [[nodiscard]] std::size_t index_bound() const { return series_.size(); }

  struct Expired {
    SeriesIndex index;
    SeriesUid uid;
    TargetId target;
  };
  // Empties all deltas and forgets series that were idle for too long.
  std::vector<Expired> close_window();

 private:
  SeriesIndex find_or_create(const SeriesKey& key, ServiceHash service) {
    const auto words = key.words();
    const auto hash = words.hash();
    const auto index =
        index_.find(hash, [&](SeriesIndex at) { return series_[at].words == words; });
    if (index != HashIndex::kNone) [[likely]]
      return index;
    return create_or_overflow(key, hash, service);
  }
  SeriesIndex find(const SeriesKey& key, std::uint64_t hash) const;
  SeriesIndex create_or_overflow(const SeriesKey& key, std::uint64_t hash, ServiceHash service);
  bool admit(std::size_t kind, const SeriesKey& key, ServiceHash service);
  SeriesIndex overflow(const SeriesKey& of);
  [[nodiscard]] std::uint32_t patience(const Series& series) const;
  SeriesIndex create(const SeriesKey& key, std::uint64_t hash, ServiceHash service);
  void erase(SeriesIndex index);

  using CountsOfServices = std::unordered_map<ServiceHash, std::uint32_t>;

  SeriesLimits limits_;
  Counters& counters_;
  SeriesKeys keys_;
  std::array<const Bounds*, kMetricKinds> bounds_;
  HashIndex index_;
  std::vector<Series> series_;
  std::vector<SeriesIndex> free_;
  std::vector<SeriesIndex> active_;
  std::array<std::uint32_t, kMetricKinds> series_of_metric_{};
  std::array<std::uint32_t, kMetricKinds> overflow_of_metric_{};
  std::array<CountsOfServices, kMetricKinds> series_of_service_;
  std::array<std::uint32_t, kMetricKinds> program_series_{};
  std::array<FairShares<ServiceHash>, kMetricKinds> program_shares_;
  SeriesUid next_uid_ = 1;
  std::size_t live_ = 0;
};

}  // namespace exa
