// The pull endpoint: /metrics (OpenMetrics 1.0 or text 0.0.4), /healthz, /readyz and a page at /.
// export_metrics on the window thread stores a pointer; a thread of libmicrohttpd serves, and
// renders each batch at most once a format, at the first scrape that asks. Owned by the composing
// layer. Budget: settings.connections of settings.connection_bytes, and one rendered batch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "exa/base/result.h"
#include "exa/export/export_counters.h"
#include "exa/export/log_sink.h"
#include "exa/export/metric_exporter.h"

namespace exa {

struct EndpointSettings {
  std::string host = "127.0.0.1";  // an address; "::1", "0.0.0.0" or a name that resolves
  std::uint16_t port = 9464;       // 0: any free port, see OpenMetricsEndpoint::port
  // When all are taken the oldest is closed, so idle connections never keep a scraper out. Lowered
  // to what RLIMIT_NOFILE leaves.
  unsigned connections = 1'280;
  std::size_t connection_bytes = 8u << 10;  // request line and headers beyond it: 431 or 414
  unsigned idle_seconds = 10;
};

struct Readiness {
  bool ready = true;
  std::string reason;  // the body of the 503 while not ready
};
// Called on the endpoint's thread.
using ReadinessCheck = std::function<Readiness()>;

class OpenMetricsEndpoint final : public MetricExporter {
 public:
  // Fails with a sentence if the address cannot be had.
  static Result<std::unique_ptr<OpenMetricsEndpoint>> start(const EndpointSettings& settings,
                                                            ExportCounters& counters,
                                                            ReadinessCheck readiness,
                                                            const LogSink& log);
  ~OpenMetricsEndpoint() override;

  [[nodiscard]] std::uint16_t port() const;
  void export_metrics(std::shared_ptr<const MetricBatch> batch) override;
  // Stops listening and closes every connection, at once.
  void shutdown(std::chrono::steady_clock::time_point deadline) override;

 private:
  class Server;
  explicit OpenMetricsEndpoint(std::unique_ptr<Server> server);
  std::unique_ptr<Server> server_;
};

}  // namespace exa
