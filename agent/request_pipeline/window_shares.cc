#include "agent/request_pipeline/window_shares.h"

#include <memory>
#include <set>
#include <utility>

#include "agent/request_pipeline/told_request.h"

namespace exa {

CumulativeSeries::SharesOfSeries window_shares(const ClosedWindow& window,
                                               const std::vector<bool>& acknowledged,
                                               bool spans_exported) {
  std::set<std::pair<TraceId, SpanId>> stored;
  for (std::size_t i = 0; i < window.spans.size(); ++i)
    if (acknowledged[i])
      stored.emplace(window.spans[i].exchange.trace_id, window.spans[i].exchange.span_id);

  CumulativeSeries::SharesOfSeries shares;
  for (const auto& series : window.series) {
    if (!row_of(series.key.kind).counts_requests) continue;
    auto share = std::make_shared<WindowShare>(WindowShare{.count = series.delta.count(),
                                                           .sum_ns = series.delta.sum,
                                                           .min_ns = series.delta.min,
                                                           .max_ns = series.delta.max,
                                                           .cells = {},
                                                           .slowest = std::nullopt,
                                                           .growth = {}});
    if (series.fine) {
      const auto& slowest = series.fine->slowest;
      share->cells = series.fine->cells;
      share->slowest = described(slowest, window.offset);
      share->growth = series.growth();
      const bool kept_upstream = !spans_exported && (slowest.trace_flags & kTraceSampled) != 0;
      if (kept_upstream || stored.contains({slowest.trace_id, slowest.span_id}))
        share->slowest->trace_id = slowest.trace_id;
    }
    shares.emplace(series.uid, std::move(share));
  }
  return shares;
}

}  // namespace exa
