#include "exporters/otlp/make_otlp.h"

#include <string_view>

#include "exporters/otlp/delta.h"
#include "exporters/otlp/encoder.h"
#include "exporters/otlp/grpc_sender.h"
#include "exporters/otlp/http_sender.h"
#include "exporters/queue/newest_metrics.h"
#include "exporters/queue/span_queue.h"

namespace exa {
namespace {

constexpr std::string_view kExportSpans =
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
constexpr std::string_view kExportMetrics =
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
constexpr std::string_view kExportLogs =
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

constexpr SpanFates kRecordFates{.are_records = true,
                                 .queued = ExportCounter::kRecordsQueued,
                                 .sent = ExportCounter::kRecordsSent,
                                 .rejected = ExportCounter::kRecordsRejected,
                                 .queue_full = ExportCounter::kRecordsDroppedQueueFull,
                                 .refused = ExportCounter::kRecordsDroppedRefused,
                                 .expired = ExportCounter::kRecordsDroppedExpired,
                                 .shutdown = ExportCounter::kRecordsDroppedShutdown};

Result<std::unique_ptr<Sender>> make_sender(const OtlpSignalSettings& settings,
                                            std::string_view method) {
  return settings.protocol == OtlpProtocol::kGrpc ? GrpcSender::make(settings, method)
                                                  : HttpSender::make(settings);
}

}  // namespace

Result<> check_otlp_settings(const OtlpSignalSettings& settings) {
  if (const auto sender = make_sender(settings, kExportSpans); !sender)
    return std::unexpected(sender.error());
  return {};
}

Result<Output> make_otlp(const OtlpSettings& settings, ExportCounters& counters,
                         const LogSink& log) {
  Output output;
  if (const auto& traces = settings.traces) {
    auto sender = make_sender(*traces, kExportSpans);
    if (!sender) return std::unexpected(sender.error());
    output.spans.push_back(std::make_unique<QueuedSpanExporter>(
        std::move(*sender),
        [scope = OtlpScope{.version = traces->agent_version}](std::span<const Span> spans) {
          return encode_spans(spans, scope);
        },
        traces->queue, counters, log));
  }
  if (const auto& metrics = settings.metrics) {
    auto sender = make_sender(*metrics, kExportMetrics);
    if (!sender) return std::unexpected(sender.error());
    output.metrics.push_back(std::make_unique<NewestMetricExporter>(
        std::move(*sender),
        [scope = OtlpScope{.version = metrics->agent_version},
         temporality = settings.temporality](const MetricsToEncode& what) {
          const auto encode = [&](const MetricBatch& batch) {
            return encode_metrics(batch, scope, what.limit_bytes, temporality, what.skipped_points);
          };
          return temporality == Temporality::kDelta
                     ? encode(delta_batch(what.batch, what.delivered))
                     : encode(what.batch);
        },
        metrics->queue, counters, log, settings.temporality));
  }
  if (const auto& logs = settings.logs) {
    auto sender = make_sender(*logs, kExportLogs);
    if (!sender) return std::unexpected(sender.error());
    output.records.push_back(std::make_unique<QueuedSpanExporter>(
        std::move(*sender),
        [scope = OtlpScope{.version = logs->agent_version}, omitted = settings.omitted_from_logs](
            std::span<const Span> spans) { return encode_records(spans, scope, omitted); },
        logs->queue, counters, log, kRecordFates));
  }
  return output;
}

}  // namespace exa
