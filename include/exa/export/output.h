// What one way out of the agent brings to the export chain: OTLP, the endpoint, the console.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "exa/export/metric_exporter.h"
#include "exa/export/span_exporter.h"
#include "exa/model/exemplar_store.h"

namespace exa {

struct Output {
  std::vector<std::unique_ptr<SpanExporter>> spans{};
  std::vector<std::unique_ptr<MetricExporter>> metrics{};
  // What they tell of spans is for reading only: no exemplar waits for it.
  std::vector<std::unique_ptr<SpanExporter>> records{};
  std::uint16_t listening_port = 0;  // 0: it does not listen
  // What it failed with for good (errno), so that running on would serve nobody; 0: it has not.
  // Any thread. Empty: that cannot happen to it.
  std::function<int()> failure{};
  // Of the exemplars that it keeps for whoever comes for them. Any thread. Empty: it keeps none.
  std::function<ExemplarStoreState()> exemplar_store{};
};

}  // namespace exa
