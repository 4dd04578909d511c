// Spans, log records and metrics as OTLP requests. Pure: no clock, no socket, no thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exa/model/metric.h"
#include "exa/model/span.h"
#include "exa/model/temporality.h"
#include "exporters/queue/newest_metrics.h"

namespace exa {

// The instrumentation scope of everything we export.
struct OtlpScope {
  std::string name = "exemplar-agent";
  std::string version;
};

// ExportTraceServiceRequest; spans of one resource are together, in the order of first appearance.
// Invalid UTF-8 in any text becomes U+FFFD, since a receiver refuses the whole request for it.
std::string encode_spans(std::span<const Span> spans, const OtlpScope& scope);

// ExportLogsServiceRequest: a record a span, of the request that it is about. Its body is a
// sentence for people; the attributes are the span's, but for those of the names in `omitted`.
std::string encode_records(std::span<const Span> spans, const OtlpScope& scope,
                           std::span<const std::string> omitted);

// ExportMetricsServiceRequests that together hold the batch. Each is within limit_bytes, except one
// that holds a single point larger than that. No request without a point. temporality: what the
// points of the batch are. The first skipped_points are left out.
std::vector<EncodedMetrics> encode_metrics(const MetricBatch& batch, const OtlpScope& scope,
                                           std::size_t limit_bytes,
                                           Temporality temporality = Temporality::kCumulative,
                                           std::size_t skipped_points = 0);

}  // namespace exa
