#include "agent/export_chain.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "agent/config/value_text.h"
#include "agent/privilege/confinement.h"
#include "exporters/console/buffered_output.h"
#include "exporters/console/table_exporter.h"
#include "exporters/otlp/endpoint_url.h"

namespace exa {
namespace {

// The exporters share settings between signals, the configuration does not: one of each.
OtlpSettings otlp_settings(const Config& config, bool traces) {
  const auto& signal = traces ? config.otlp.traces : config.otlp.metrics;
  OtlpSettings settings;
  settings.traces.enabled = traces && signal.active();
  settings.metrics.enabled = !traces && signal.active();
  (traces ? settings.traces : settings.metrics).endpoint = signal.endpoint;
  settings.headers.assign(signal.headers.begin(), signal.headers.end());
  settings.compression = signal.gzip ? OtlpCompression::kGzip : OtlpCompression::kNone;
  settings.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(signal.timeout);
  settings.ca_file = signal.certificate;
  settings.client_certificate_file = signal.client_certificate;
  settings.client_key_file = signal.client_key;
  settings.agent_version = EXA_VERSION;
  settings.queue.queue_bytes = config.otlp.queue_size_bytes;
  return settings;
}

RowOrder row_order(TableOrder order) {
  switch (order) {
    case TableOrder::kTime:
      return RowOrder::kTime;
    case TableOrder::kRate:
      return RowOrder::kRate;
    case TableOrder::kErrors:
      return RowOrder::kErrors;
    case TableOrder::kP99:
      return RowOrder::kP99;
    case TableOrder::kMax:
      return RowOrder::kMax;
    case TableOrder::kName:
      return RowOrder::kName;
  }
  return RowOrder::kTime;
}

OutputForm output_form(const Config& config) {
  if (config.output != OutputForm::kAuto) return config.output;
  return isatty(STDOUT_FILENO) != 0 ? OutputForm::kTable : OutputForm::kNone;
}

LogSink sink_to(const Log& log) {
  return [&log](LogLevel level, std::string_view text) {
    switch (level) {
      case LogLevel::kInfo:
        log.info(text);
        break;
      case LogLevel::kWarning:
        log.warn(text);
        break;
      case LogLevel::kError:
        log.error(text);
        break;
    }
  };
}

}  // namespace

bool prints_table(const Config& config) {
  return output_form(config) == OutputForm::kTable;
}

Result<ExportChain> ExportChain::start(const Config& config, ExportCounters& counters,
                                       ReadinessCheck readiness, const Log& log, Tables tables) {
  ExportChain chain;
  const auto sink = sink_to(log);
  if (auto started = chain.start_otlp(config, counters, sink); !started)
    return std::unexpected(started.error());
  if (config.openmetrics.enabled) {
    auto endpoint = OpenMetricsEndpoint::start(
        {.host = config.openmetrics.host, .port = config.openmetrics.port}, counters,
        std::move(readiness), sink);
    if (!endpoint) return std::unexpected(endpoint.error());
    chain.endpoint_ = std::move(*endpoint);
  }
  chain.start_console(config, counters, sink, tables);
  return chain;
}

Result<> ExportChain::start_otlp(const Config& config, ExportCounters& counters,
                                 const LogSink& sink) {
  for (const bool traces : {true, false}) {
    const auto settings = otlp_settings(config, traces);
    if (!settings.wanted()) continue;
    auto made = make_otlp_exporters(settings, counters, sink);
    if (!made) return std::unexpected(made.error());
    if (traces)
      otlp_.spans = std::move(made->spans);
    else
      otlp_.metrics = std::move(made->metrics);
  }
  return {};
}

void ExportChain::start_console(const Config& config, ExportCounters& counters, const LogSink& sink,
                                Tables tables) {
  const auto form = output_form(config);
  if (form == OutputForm::kNone) return;
  // A replay is for whoever reads it; a run is for others, too.
  if (tables == Tables::kListed)
    output_ = std::make_shared<WaitingOutput>(STDOUT_FILENO);
  else
    output_ = std::make_shared<BufferedOutput>(STDOUT_FILENO, counters, sink);
  const auto output = output_;
  if (form == OutputForm::kJson) {
    span_console_ = std::make_unique<JsonSpanExporter>(output, otlp_.spans ? nullptr : &counters);
    metric_consoles_.push_back(std::make_unique<JsonMetricExporter>(output));
  } else {
    metric_consoles_.push_back(
        std::make_unique<TableExporter>(output,
                                        TableSettings{.rows = config.table.rows,
                                                      .order = row_order(config.table.order),
                                                      .colours = colours_wanted(STDOUT_FILENO),
                                                      .spans_exported = otlp_.spans != nullptr},
                                        [listed = tables == Tables::kListed] {
                                          auto size = terminal_size(STDOUT_FILENO);
                                          if (listed) size.lines = 0;
                                          return size;
                                        }));
  }
}

std::vector<SpanExporter*> ExportChain::span_exporters() const {
  std::vector<SpanExporter*> exporters;
  if (span_console_) exporters.push_back(span_console_.get());
  if (otlp_.spans) exporters.push_back(otlp_.spans.get());
  return exporters;
}

std::vector<MetricExporter*> ExportChain::metric_exporters() const {
  std::vector<MetricExporter*> exporters;
  if (endpoint_) exporters.push_back(endpoint_.get());
  if (otlp_.metrics) exporters.push_back(otlp_.metrics.get());
  for (const auto& console : metric_consoles_)
    exporters.push_back(console.get());
  return exporters;
}

std::size_t ExportChain::queued_spans() const {
  if (otlp_.spans) return otlp_.spans->queued_spans();
  return span_console_ ? span_console_->queued_spans() : 0;
}

std::uint16_t ExportChain::endpoint_port() const {
  return endpoint_ ? endpoint_->port() : 0;
}

void ExportChain::shutdown(std::chrono::steady_clock::time_point deadline) {
  // A trace backend that is down must not take the last metrics with it.
  const auto now = std::chrono::steady_clock::now();
  const auto spans_deadline = now + std::max((deadline - now) / 2, Duration::zero());
  for (auto* const exporter : span_exporters())
    exporter->shutdown(spans_deadline);
  for (auto* const exporter : metric_exporters())
    exporter->shutdown(deadline);
}

Result<> check_export_settings(const Config& config) {
  for (const bool traces : {true, false}) {
    const auto settings = otlp_settings(config, traces);
    if (!settings.wanted()) continue;
    if (auto valid = check_otlp_settings(settings); !valid)
      return fail(std::string(traces ? "otlp.traces: " : "otlp.metrics: ") + valid.error().text);
  }
  return {};
}

Result<> check_export_files(const Config& config) {
  for (const bool traces : {true, false}) {
    const auto& signal = traces ? config.otlp.traces : config.otlp.metrics;
    if (!signal.active()) continue;
    const std::pair<const char*, const std::string&> files[] = {
        {"certificate", signal.certificate},
        {"client_certificate", signal.client_certificate},
        {"client_key", signal.client_key}};
    for (const auto& [key, path] : files) {
      if (path.empty()) continue;
      if (auto readable = check_readable_when_confined(path, config.pipeline.uid); !readable)
        return fail(std::string("otlp.") + (traces ? "traces." : "metrics.") + key + ": " +
                    readable.error().text);
    }
  }
  return {};
}

std::string output_failure(int error) {
  if (error == ETIMEDOUT)
    return "standard output: what was printed was not read in time, so not all of it came out; "
           "--output none runs without it";
  return fail_errno("standard output", error).error().text +
         (error == EPIPE ? ": nobody reads it any more; --output none runs without it"
                         : ": what was to be printed is lost; print elsewhere, or nothing with "
                           "--output none");
}

namespace {

// Checked when the configuration was; without what a query may hold.
std::string display_of(const OtlpSignal& signal) {
  const auto url = signal_url({}, signal.endpoint, {}, false);
  return url ? url->display : std::string("an unusable URL");
}

}  // namespace

std::string describe_exports(const Config& config, std::uint16_t endpoint_port) {
  std::string text;
  if (endpoint_port != 0)
    text += "metrics on http://" + host_port_text(config.openmetrics.host, endpoint_port) +
            "/metrics, ";
  if (config.otlp.traces.active())
    text += "OTLP traces to " + display_of(config.otlp.traces) + ", ";
  if (config.otlp.metrics.active())
    text += "OTLP metrics to " + display_of(config.otlp.metrics) + ", ";
  if (text.empty()) return "no exporter is on";
  if (!config.otlp.traces.active())
    text += "no traces, so exemplars have ids only where callers sampled (--otlp-endpoint URL), ";
  return text.substr(0, text.size() - 2);
}

}  // namespace exa
