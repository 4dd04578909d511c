#include "agent/outputs/outputs.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "agent/config/value_text.h"
#include "agent/model/version.h"
#include "agent/privilege/confinement.h"
#include "exa/model/address.h"
#include "exporters/console/make_console.h"
#include "exporters/openmetrics/endpoint.h"
#include "exporters/otlp/make_otlp.h"
#include "exporters/transfer/url_parts.h"

namespace exa {
namespace {

// None where the signal is not exported.
std::optional<OtlpSignalSettings> signal_settings(const Config& config, const OtlpSignal& signal) {
  if (!signal.active()) return std::nullopt;
  OtlpSignalSettings settings;
  settings.url = signal.endpoint;
  settings.protocol = signal.protocol;
  settings.headers.assign(signal.headers.begin(), signal.headers.end());
  settings.compression = signal.gzip ? OtlpCompression::kGzip : OtlpCompression::kNone;
  settings.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(signal.timeout);
  settings.ca_file = signal.certificate;
  settings.client_certificate_file = signal.client_certificate;
  settings.client_key_file = signal.client_key;
  settings.agent_version = agent_version();
  settings.queue.queue_bytes = config.otlp.queue_size_bytes;
  return settings;
}

struct NamedSignal {
  std::string key;
  const OtlpSignal& signal;
};
std::array<NamedSignal, 3> signals_of(const OtlpConfig& otlp) {
  return {{{"otlp.traces", otlp.traces}, {"otlp.metrics", otlp.metrics}, {"otlp.logs", otlp.logs}}};
}

OtlpSettings otlp_settings(const Config& config) {
  return {.traces = signal_settings(config, config.otlp.traces),
          .metrics = signal_settings(config, config.otlp.metrics),
          .logs = signal_settings(config, config.otlp.logs),
          .temporality = config.otlp.temporality,
          .omitted_from_logs = config.otlp.omitted_from_logs};
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

ConsoleSettings console_settings(const Config& config, Tables tables, bool spans_exported) {
  const bool json = output_form(config) == OutputForm::kJson;
  return {.form = json ? ConsoleForm::kJson : ConsoleForm::kTable,
          .table = {.rows = config.table.rows,
                    .order = row_order(config.table.order),
                    .spans_exported = spans_exported},
          .live = tables == Tables::kInPlace,
          .counts_spans = !spans_exported};
}

// Checked when the configuration was; without what a query may hold.
std::string display_of(const OtlpSignal& signal) {
  const auto url = url_parts(signal.endpoint);
  return url ? url->display : std::string("an unusable URL");
}

}  // namespace

bool prints_table(const Config& config) {
  return output_form(config) == OutputForm::kTable;
}

Result<ExportChain> start_exports(const Config& config, ExportCounters& counters,
                                  ReadinessCheck readiness, const Log& log, Tables tables) {
  const auto sink = sink_to(log);
  auto otlp = make_otlp(otlp_settings(config), counters, sink);
  if (!otlp) return std::unexpected(otlp.error());
  const bool spans_exported = !otlp->spans.empty();
  std::vector<Output> outputs;
  if (config.openmetrics.enabled) {
    auto endpoint = make_openmetrics(
        {.page = {.host = config.openmetrics.host, .port = config.openmetrics.port},
         .exemplars = config.exemplars.store},
        counters, std::move(readiness), sink);
    if (!endpoint) return std::unexpected(endpoint.error());
    outputs.push_back(std::move(*endpoint));
  }
  outputs.push_back(std::move(*otlp));
  if (output_form(config) != OutputForm::kNone)
    outputs.push_back(
        make_console(console_settings(config, tables, spans_exported), counters, sink));
  return ExportChain(std::move(outputs));
}

Result<> check_export_settings(const Config& config) {
  for (const auto& [key, signal] : signals_of(config.otlp)) {
    const auto settings = signal_settings(config, signal);
    if (!settings) continue;
    if (auto valid = check_otlp_settings(*settings); !valid)
      return fail(key + ": " + valid.error().text);
  }
  return {};
}

Result<> check_export_files(const Config& config) {
  for (const auto& [signal_key, signal] : signals_of(config.otlp)) {
    if (!signal.active()) continue;
    const std::pair<const char*, const std::string&> files[] = {
        {"certificate", signal.certificate},
        {"client_certificate", signal.client_certificate},
        {"client_key", signal.client_key}};
    for (const auto& [key, path] : files) {
      if (path.empty()) continue;
      if (auto readable = check_readable_when_confined(path, config.pipeline.uid); !readable)
        return fail(signal_key + "." + key + ": " + readable.error().text);
    }
  }
  return {};
}

std::string output_failure(int error) {
  if (error == ETIMEDOUT)
    return "standard output: it was not read in time, so part of the output is missing; "
           "use --output none to run without it";
  return fail_errno("standard output", error).error().text +
         (error == EPIPE ? ": nothing reads it any more; use --output none to run without it"
                         : ": the output is lost; redirect it, or turn it off with "
                           "--output none");
}

std::string describe_exports(const Config& config, std::uint16_t endpoint_port) {
  std::string text;
  if (endpoint_port != 0)
    text += "metrics on http://" + host_port_text(config.openmetrics.host, endpoint_port) +
            "/metrics, ";
  if (config.otlp.traces.active())
    text += "OTLP traces to " + display_of(config.otlp.traces) + ", ";
  if (config.otlp.metrics.active())
    text += "OTLP metrics to " + display_of(config.otlp.metrics) + ", ";
  if (config.otlp.logs.active()) text += "OTLP logs to " + display_of(config.otlp.logs) + ", ";
  if (text.empty()) return "no exporter is enabled";
  // JSON lines hold the spans too.
  if (!config.otlp.traces.active() && config.output != OutputForm::kJson)
    text += "no traces, so exemplars have ids only where callers sampled (--otlp-endpoint URL), ";
  return text.substr(0, text.size() - 2);
}

}  // namespace exa
