// What a closed window tells of each series of requests beside its histogram: exact figures, fine
// counts, and the slowest request in words. Pure; window thread.
#pragma once

#include <vector>

#include "agent/request_pipeline/closed_window.h"
#include "agent/request_pipeline/cumulative_series.h"

namespace exa {

// acknowledged: by the window's spans. spans_exported: to somebody at all; otherwise a trace is
// stored where the caller's own tracing sampled the request.
CumulativeSeries::SharesOfSeries window_shares(const ClosedWindow& window,
                                               const std::vector<bool>& acknowledged,
                                               bool spans_exported);

}  // namespace exa
