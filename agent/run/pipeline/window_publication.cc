#include "agent/run/pipeline/window_publication.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "agent/config/config.h"
#include "agent/explain/explanation_json.h"
#include "agent/run/messages/status_files.h"
#include "agent/run/pipeline/process_usage.h"
#include "agent/telemetry/self_metrics.h"

namespace exa {

using namespace std::chrono_literals;

std::chrono::milliseconds acknowledgement_deadline(Duration window) {
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(window);
  return std::clamp<std::chrono::milliseconds>(whole * 3 / 4, 250ms, 2000ms);
}

WindowPublication::WindowPublication(Parts parts, WindowPublisher publisher)
    : parts_(std::move(parts)), publisher_(std::move(publisher)) {}

void WindowPublication::publish(WindowJob& job) {
  auto& gauges = job.gauges;
  fill_process_usage(gauges, parts_.memory_use);
  if (const auto store = parts_.outputs.exemplar_store()) {
    gauges.exemplars_stored = store->stored;
    gauges.exemplars_capacity = store->capacity;
    gauges.oldest_exemplar_s = store->oldest_s;
  }
  gauges.spans_queued = parts_.outputs.queued_spans();
  gauges.window_s = std::chrono::duration<double>(parts_.config.window).count();
  // Counters do not go away for a window: who makes differences would see them begin anew.
  if (auto kernel = parts_.kernel_totals())
    kernel_totals_ = std::move(*kernel);
  else
    parts_.occasional.warn("kernel counters", kernel.error().text, monotonic_now());
  std::vector<ResourceMetrics> self;
  self.push_back(self_metrics(parts_.agent, parts_.counters, parts_.export_counters, kernel_totals_,
                              gauges, parts_.start, job.window.end));
  const auto stored = publisher_.publish(job.window, std::move(self));
  if (!parts_.services_file.valid()) return;
  services_.add(job.window);
  if (!tell_windows(parts_.services_file.get(), services_.json(),
                    explanation_json(explainer_.explain(job.window, stored))))
    parts_.occasional.warn(
        "services",
        "`status` and `explain` no longer get the services: their file cannot be written",
        monotonic_now());
}

}  // namespace exa
