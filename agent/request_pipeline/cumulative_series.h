// All series since they began: deltas of windows add up here, and each window's points are made
// from here. Of what is open when a window closes only the latest counts.
// Window thread only, owned by WindowPublisher. As many series as the registry has live ones.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "agent/request_pipeline/closed_window.h"
#include "agent/request_pipeline/cumulative_total.h"
#include "agent/why/account_sum.h"
#include "exa/model/metric.h"

namespace exa {

class CumulativeSeries {
 public:
  void add(const ClosedWindow& window);

  // One point a series, with the exemplars of the window just closed, in any order, and what the
  // window told of it.
  using ExemplarsOfSeries = std::unordered_map<SeriesUid, std::vector<Exemplar>>;
  using SharesOfSeries = std::unordered_map<SeriesUid, std::shared_ptr<const WindowShare>>;
  [[nodiscard]] MetricBatch points(const ClosedWindow& window, ExemplarsOfSeries exemplars,
                                   const SharesOfSeries& shares) const;

  // After the points of the window in which they expired. What they counted in all, by metric: no
  // page shows it any more.
  using CountsOfMetrics = std::array<std::uint64_t, kMetricKinds>;
  [[nodiscard]] CountsOfMetrics forget(const std::vector<SeriesUid>& expired);
  [[nodiscard]] std::size_t size() const { return series_.size(); }

 private:
  struct State {
    SeriesUid uid = 0;
    SeriesKey key;
    Attributes attributes;
    std::shared_ptr<const RequestSeries> requests;  // null: it counts something else
    std::shared_ptr<const Resource> resource;
    CumulativeTotal total;
    AccountSum accounts;                              // nothing where they are not kept
    std::optional<ExponentialHistogram> exponential;  // likewise
  };
  [[nodiscard]] static HistogramPoint histogram_point(const State& state, WallTime time);
  [[nodiscard]] static NumberPoint bare_point(const State& state, WallTime time);

  std::vector<State> series_;  // in the order of their first window, which makes output repeatable
  std::unordered_map<SeriesUid, std::size_t> by_uid_;
};

}  // namespace exa
