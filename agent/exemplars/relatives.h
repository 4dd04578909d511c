// Finds what else this node saw of the chosen traces: local parents and children, and the other end
// of the same request.
// Capture thread, at window close: one scan over the recorder's array of trace hashes.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/exemplars/selection.h"
#include "agent/exemplars/span_budget.h"
#include "agent/telemetry/counters.h"

namespace exa {

struct RelativesOptions {
  std::uint32_t spans_per_window = 100;
  std::uint32_t burst_spans = 200;
};

class RelativesFinder {
 public:
  RelativesFinder(const RelativesOptions& options, Counters& counters);

  // Adds the relatives to the selection's exchanges, and marks all of them in the recorder, so that
  // no span is exported twice. A parent often ends after its child: traces chosen in the window
  // before this one are looked for once more.
  void add_relatives(Selection& selection, FlightRecorder& recorder);

 private:
  Counters& counters_;
  SpanBudget budget_;
  std::vector<TraceId> chosen_before_;
};

}  // namespace exa
