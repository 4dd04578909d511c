#include "agent/metrics/series_registry.h"

#include <algorithm>

namespace exa {

namespace {

// One more of each metric: the overflow series of targets that found no overflow series.
std::size_t most_series(const SeriesLimits& limits) {
  return kMetricKinds *
         (std::size_t{limits.max_series_per_metric} + limits.max_program_series_per_metric +
          limits.max_overflow_series_per_metric + 1);
}

}  // namespace

SeriesRegistry::SeriesRegistry(const SeriesLimits& limits, Counters& counters)
    : limits_(limits),
      counters_(counters),
      keys_(limits.max_names, counters),
      index_(most_series(limits)) {
  for (const auto& row : metric_rows())
    bounds_[static_cast<std::size_t>(row.kind)] = &row.bounds();
  series_.reserve(most_series(limits));
  active_.reserve(most_series(limits));
  free_.reserve(most_series(limits));
}

SeriesIndex SeriesRegistry::find(const SeriesKey& key, std::uint64_t hash) const {
  return index_.find(hash, [&](SeriesIndex at) { return series_[at].key == key; });
}

SeriesIndex SeriesRegistry::create_or_overflow(const SeriesKey& key, std::uint64_t hash,
                                               ServiceHash service) {
  if (key.overflow) return overflow(key);
  if (admit(static_cast<std::size_t>(key.kind), key, service)) return create(key, hash, service);
  counters_.add(Counter::kSeriesOverflow);
  keys_.drop(key);
  return overflow(key);
}

// Takes a place for a new series and says whether there was one.
bool SeriesRegistry::admit(std::size_t kind, const SeriesKey& key, ServiceHash service) {
  if (is_program(key.target)) {
    const auto in_use = program_series_[kind];
    const auto most = limits_.max_program_series_per_metric;
    if (!program_shares_[kind].may_take(service, most - in_use)) {
      counters_.add(Counter::kOverflowProgramShare);
      return false;
    }
    ++program_series_[kind];
    program_shares_[kind].take(service);
    return true;
  }
  if (series_of_metric_[kind] >= limits_.max_series_per_metric) {
    counters_.add(Counter::kOverflowMetricFull);
    return false;
  }
  auto& of_service = series_of_service_[kind][service];
  if (of_service >= limits_.max_series_per_service) {
    if (of_service == 0) series_of_service_[kind].erase(service);
    counters_.add(Counter::kOverflowServiceShare);
    return false;
  }
  ++series_of_metric_[kind];
  ++of_service;
  return true;
}

SeriesIndex SeriesRegistry::overflow(const SeriesKey& of) {
  auto key = overflow_key(of.convention, of.kind, of.target);
  auto hash = key.hash();
  if (const auto index = find(key, hash); index != HashIndex::kNone) return index;
  auto& in_use = overflow_of_metric_[static_cast<std::size_t>(key.kind)];
  if (in_use >= limits_.max_overflow_series_per_metric) {
    key.target = kNoTarget;
    hash = key.hash();
    if (const auto index = find(key, hash); index != HashIndex::kNone) return index;
  }
  if (key.target != kNoTarget) ++in_use;
  return create(key, hash, 0);
}

SeriesIndex SeriesRegistry::create(const SeriesKey& key, std::uint64_t hash, ServiceHash service) {
  SeriesIndex index;
  if (free_.empty()) {
    index = static_cast<SeriesIndex>(series_.size());
    series_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  auto& series = series_[index];
  series = Series{};
  series.key = key;
  series.words = key.words();
  keys_.hold(key);
  series.uid = next_uid_++;
  series.service = service;
  series.live = true;
  ++live_;
  index_.insert(hash, index);
  return index;
}

void SeriesRegistry::erase(SeriesIndex index) {
  auto& series = series_[index];
  const auto kind = static_cast<std::size_t>(series.key.kind);
  if (!series.key.overflow && is_program(series.key.target)) {
    --program_series_[kind];
    program_shares_[kind].give_back(series.service);
  } else if (!series.key.overflow) {
    --series_of_metric_[kind];
    auto& services = series_of_service_[kind];
    if (const auto of_service = services.find(series.service);
        of_service != services.end() && --of_service->second == 0)
      services.erase(of_service);
  } else if (series.key.target != kNoTarget) {
    --overflow_of_metric_[kind];
  }

  index_.erase(series.key.hash(), index);
  keys_.release(series.key);
  series.live = false;
  --live_;
  free_.push_back(index);
}

std::uint32_t SeriesRegistry::patience(const Series& series) const {
  const auto in_use = program_series_[static_cast<std::size_t>(series.key.kind)];
  const bool crowded = in_use > limits_.max_program_series_per_metric / 4;
  const bool passed = is_program(series.key.target) && !series.key.overflow && !series.returned;
  return crowded && passed
             ? std::min(limits_.expire_crowded_after_windows, limits_.expire_after_windows)
             : limits_.expire_after_windows;
}

std::vector<SeriesRegistry::Expired> SeriesRegistry::close_window() {
  for (const auto index : active_) {
    auto& series = series_[index];
    series.delta = Distribution{};
    if (series.counted_before) series.returned = true;
    series.counted_before = true;
    series.idle_windows = 0;
  }
  std::vector<Expired> expired;
  for (SeriesIndex index = 0; index < series_.size(); ++index) {
    auto& series = series_[index];
    if (!series.live || series.active) {
      series.active = false;
      continue;
    }
    if (++series.idle_windows < patience(series)) continue;
    expired.push_back({index, series.uid, series.key.target});
    erase(index);
    counters_.add(Counter::kSeriesExpired);
  }
  active_.clear();
  return expired;
}

}  // namespace exa
