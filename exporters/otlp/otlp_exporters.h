// The OTLP/HTTP exporters, ready made. Each has a thread of its own, which is started here: call
// after the pipeline has forked.
#pragma once

#include <memory>

#include "exa/base/result.h"
#include "exa/export/export_counters.h"
#include "exa/export/log_sink.h"
#include "exporters/otlp/otlp_settings.h"
#include "exporters/queue/newest_metrics.h"
#include "exporters/queue/span_queue.h"

namespace exa {

struct OtlpExporters {
  std::unique_ptr<QueuedSpanExporter> spans;      // null: traces are not exported
  std::unique_ptr<NewestMetricExporter> metrics;  // null: metrics are not exported
};

// Fails on a URL or header that no request could be made with; a backend that is down is not a
// failure. Counters must outlive what is returned.
Result<OtlpExporters> make_otlp_exporters(const OtlpSettings& settings, ExportCounters& counters,
                                          const LogSink& log);

// The check of make_otlp_exporters without the threads, for configuration time.
Result<> check_otlp_settings(const OtlpSignalSettings& settings);

}  // namespace exa
