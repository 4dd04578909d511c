#include "exporters/otlp/make_otlp.h"

#include "exporters/otlp/encoder.h"
#include "exporters/otlp/http_sender.h"
#include "exporters/queue/newest_metrics.h"
#include "exporters/queue/span_queue.h"

namespace exa {

Result<> check_otlp_settings(const OtlpSignalSettings& settings) {
  if (const auto sender = HttpSender::make(settings); !sender)
    return std::unexpected(sender.error());
  return {};
}

Result<Output> make_otlp(const OtlpSettings& settings, ExportCounters& counters,
                         const LogSink& log) {
  Output output;
  if (const auto& traces = settings.traces) {
    auto sender = HttpSender::make(*traces);
    if (!sender) return std::unexpected(sender.error());
    output.spans.push_back(std::make_unique<QueuedSpanExporter>(
        std::move(*sender),
        [scope = OtlpScope{.version = traces->agent_version}](std::span<const Span> spans) {
          return encode_spans(spans, scope);
        },
        traces->queue, counters, log));
  }
  if (const auto& metrics = settings.metrics) {
    auto sender = HttpSender::make(*metrics);
    if (!sender) return std::unexpected(sender.error());
    output.metrics.push_back(std::make_unique<NewestMetricExporter>(
        std::move(*sender),
        [scope = OtlpScope{.version = metrics->agent_version}](const MetricBatch& batch,
                                                               std::size_t limit_bytes) {
          return encode_metrics(batch, scope, limit_bytes);
        },
        metrics->queue, counters, log));
  }
  return output;
}

}  // namespace exa
