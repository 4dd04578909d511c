#include "exporters/otlp/otlp_exporters.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "exporters/otlp/encoder.h"
#include "exporters/otlp/endpoint_url.h"
#include "exporters/otlp/http_sender.h"

namespace exa {
namespace {

OtlpHeaders merged(const OtlpHeaders& common, const OtlpHeaders& own) {
  const auto same_name = [](const std::string& a, const std::string& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
      return std::tolower(x) == std::tolower(y);
    });
  };
  OtlpHeaders headers;
  for (const auto& header : common) {
    const bool overridden = std::any_of(own.begin(), own.end(), [&](const auto& other) {
      return same_name(other.first, header.first);
    });
    if (!overridden) headers.push_back(header);
  }
  headers.insert(headers.end(), own.begin(), own.end());
  return headers;
}

// Null where the signal has no endpoint or is switched off.
Result<std::unique_ptr<Sender>> make_sender(const OtlpSettings& settings,
                                            const OtlpSignalSettings& signal,
                                            std::string_view path) {
  if (!signal.enabled || (settings.endpoint.empty() && signal.endpoint.empty())) return nullptr;
  auto url = signal_url(settings.endpoint, signal.endpoint, path, settings.insecure);
  if (!url) return std::unexpected(url.error());
  return HttpSender::make(std::move(*url), merged(settings.headers, signal.headers), settings);
}

struct Senders {
  std::unique_ptr<Sender> spans;
  std::unique_ptr<Sender> metrics;
};

Result<Senders> make_senders(const OtlpSettings& settings) {
  auto spans = make_sender(settings, settings.traces, "/v1/traces");
  if (!spans) return std::unexpected(spans.error());
  auto metrics = make_sender(settings, settings.metrics, "/v1/metrics");
  if (!metrics) return std::unexpected(metrics.error());
  return Senders{.spans = std::move(*spans), .metrics = std::move(*metrics)};
}

}  // namespace

Result<> check_otlp_settings(const OtlpSettings& settings) {
  if (const auto senders = make_senders(settings); !senders)
    return std::unexpected(senders.error());
  return {};
}

Result<OtlpExporters> make_otlp_exporters(const OtlpSettings& settings, ExportCounters& counters,
                                          const LogSink& log) {
  auto senders = make_senders(settings);
  if (!senders) return std::unexpected(senders.error());
  const OtlpScope scope{.version = settings.agent_version};
  OtlpExporters exporters;
  if (senders->spans)
    exporters.spans = std::make_unique<OtlpHttpSpanExporter>(
        std::move(senders->spans),
        [scope](std::span<const Span> spans) { return encode_spans(spans, scope); }, settings.queue,
        counters, log);
  if (senders->metrics)
    exporters.metrics = std::make_unique<OtlpHttpMetricExporter>(
        std::move(senders->metrics),
        [scope](const MetricBatch& batch, std::size_t limit_bytes) {
          return encode_metrics(batch, scope, limit_bytes);
        },
        settings.queue, counters, log);
  return exporters;
}

}  // namespace exa
