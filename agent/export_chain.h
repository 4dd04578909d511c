// The exporters that the configuration asks for, in the order in which they are served.
// Built, used and ended on the window thread's side; owned by the pipeline or the replay. Starts
// the exporters' threads, so in the pipeline only after the fork.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "agent/config/config.h"
#include "agent/telemetry/logging.h"
#include "exa/base/result.h"
#include "exa/export/export_counters.h"
#include "exa/export/metric_exporter.h"
#include "exa/export/span_exporter.h"
#include "exporters/console/json_exporter.h"
#include "exporters/console/line_output.h"
#include "exporters/openmetrics/endpoint.h"
#include "exporters/otlp/otlp_exporters.h"

namespace exa {

// Tables on a terminal: each in the place of the one before, or one below the other.
enum class Tables : std::uint8_t { kInPlace, kListed };

class ExportChain {
 public:
  // log and counters outlive the chain.
  static Result<ExportChain> start(const Config& config, ExportCounters& counters,
                                   ReadinessCheck readiness, const Log& log,
                                   Tables tables = Tables::kInPlace);

  [[nodiscard]] std::vector<SpanExporter*> span_exporters() const;
  [[nodiscard]] std::vector<MetricExporter*> metric_exporters() const;
  [[nodiscard]] std::size_t queued_spans() const;
  [[nodiscard]] std::uint16_t endpoint_port() const;  // 0: no endpoint
  // What printing on standard output failed with; 0: nothing.
  [[nodiscard]] int output_error() const { return output_ ? output_->error() : 0; }
  void shutdown(std::chrono::steady_clock::time_point deadline);

 private:
  ExportChain() = default;
  Result<> start_otlp(const Config& config, ExportCounters& counters, const LogSink& sink);
  void start_console(const Config& config, ExportCounters& counters, const LogSink& sink,
                     Tables tables);

  std::shared_ptr<LineOutput> output_;  // null: nothing is printed
  std::unique_ptr<JsonSpanExporter> span_console_;
  std::vector<std::unique_ptr<MetricExporter>> metric_consoles_;
  OtlpExporters otlp_;
  std::unique_ptr<OpenMetricsEndpoint> endpoint_;
};

// Whether standard output shows tables, which tell more of a window than is exported.
bool prints_table(const Config& config);

// The OTLP settings of both signals, checked without starting anything.
Result<> check_export_settings(const Config& config);

// Their certificate and key files: may the pipeline read them? Forks; before any thread.
Result<> check_export_files(const Config& config);

// What is to be said of standard output that cannot be written any more.
std::string output_failure(int error);

// One line for the start: where results go.
std::string describe_exports(const Config& config, std::uint16_t endpoint_port);

}  // namespace exa
