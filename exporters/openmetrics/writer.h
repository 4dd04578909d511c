// A metric batch in the OpenMetrics 1.0 text format, or in Prometheus' text format 0.0.4.
// Pure.
#pragma once

#include <string>

#include "exa/model/metric.h"
#include "exporters/openmetrics/exemplar_shelf.h"
#include "exporters/openmetrics/negotiation.h"

namespace exa {

struct Rendered {
  std::string text;
  std::size_t exemplars = 0;          // shown
  std::size_t exemplars_omitted = 0;  // in the batch, but the format has no place for them
};

// Every series of a target carries its job and instance; target_info carries the rest of its
// resource. Histograms without a point and families whose name another kind has are left out. No
// series stands there twice: where a process runs another program under its name, the later counts.
Rendered render_openmetrics(const MetricBatch& batch, const ShownExemplars& exemplars);

// The same without exemplars, which this format has no place for.
Rendered render_text(const MetricBatch& batch);

}  // namespace exa
