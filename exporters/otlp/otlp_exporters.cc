#include "exporters/otlp/otlp_exporters.h"

#include "exporters/otlp/encoder.h"
#include "exporters/otlp/http_sender.h"

namespace exa {

Result<> check_otlp_settings(const OtlpSignalSettings& settings) {
  if (const auto sender = HttpSender::make(settings); !sender)
    return std::unexpected(sender.error());
  return {};
}

Result<OtlpExporters> make_otlp_exporters(const OtlpSettings& settings, ExportCounters& counters,
                                          const LogSink& log) {
  OtlpExporters exporters;
  if (const auto& traces = settings.traces) {
    auto sender = HttpSender::make(*traces);
    if (!sender) return std::unexpected(sender.error());
    exporters.spans = std::make_unique<QueuedSpanExporter>(
        std::move(*sender),
        [scope = OtlpScope{.version = traces->agent_version}](std::span<const Span> spans) {
          return encode_spans(spans, scope);
        },
        traces->queue, counters, log);
  }
  if (const auto& metrics = settings.metrics) {
    auto sender = HttpSender::make(*metrics);
    if (!sender) return std::unexpected(sender.error());
    exporters.metrics = std::make_unique<NewestMetricExporter>(
        std::move(*sender),
        [scope = OtlpScope{.version = metrics->agent_version}](const MetricBatch& batch,
                                                               std::size_t limit_bytes) {
          return encode_metrics(batch, scope, limit_bytes);
        },
        metrics->queue, counters, log);
  }
  return exporters;
}

}  // namespace exa
