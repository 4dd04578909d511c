// What a batch of cumulative points adds to an earlier one: points of delta temporality
// (OpenTelemetry's data model of metrics). Pure.
#pragma once

#include "exa/model/metric.h"

namespace exa {

// earlier: the batch that was delivered last; null: none was, so each point is new since its start.
// A point that nothing was added to is left out; gauges and sums that may fall stay as they are.
// What was the smallest and the largest of what was added is known where it is one window.
MetricBatch delta_batch(const MetricBatch& batch, const MetricBatch* earlier);

}  // namespace exa
