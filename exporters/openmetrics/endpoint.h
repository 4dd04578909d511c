// The pull endpoint: /metrics (OpenMetrics 1.0 or text 0.0.4) on a page server of its own, beside
// /healthz and /readyz.
// export_metrics on the window thread stores a pointer; the server's thread renders each batch at
// most once a format, at the first scrape that asks. Owned by the composing layer. Budget: the
// server's, and one rendered batch.
#pragma once

#include <cstdint>
#include <memory>

#include "exa/base/result.h"
#include "exa/export/export_counters.h"
#include "exa/export/log_sink.h"
#include "exa/export/metric_exporter.h"
#include "exa/export/output.h"
#include "exporters/openmetrics/scrape_cache.h"
#include "exporters/page/health_routes.h"
#include "exporters/page/page_server.h"

namespace exa {

struct EndpointSettings {
  PageSettings page{};
  ExemplarStoreLimits exemplars{};
};

class OpenMetricsEndpoint final : public MetricExporter {
 public:
  // Fails with a sentence if the address cannot be had.
  static Result<std::unique_ptr<OpenMetricsEndpoint>> start(const EndpointSettings& settings,
                                                            ExportCounters& counters,
                                                            ReadinessCheck readiness,
                                                            const LogSink& log);

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] ExemplarStoreState exemplar_store() const { return cache_.exemplar_store(); }
  void export_metrics(std::shared_ptr<const MetricBatch> batch) override;
  // Stops listening and closes every connection, at once.
  void shutdown(std::chrono::steady_clock::time_point deadline) override;

 private:
  OpenMetricsEndpoint(const ExemplarStoreLimits& limits, ExportCounters& counters)
      : counters_(counters), cache_(limits) {}
  PageAnswer scrape(const PageRequest& request);

  ExportCounters& counters_;
  ScrapeCache cache_;
  std::unique_ptr<PageServer> server_;  // the last: its thread uses the others
};

// The endpoint as an output. Starts a thread: call after the pipeline has forked. Counters must
// outlive what is returned.
Result<Output> make_openmetrics(const EndpointSettings& settings, ExportCounters& counters,
                                ReadinessCheck readiness, const LogSink& log);

}  // namespace exa
