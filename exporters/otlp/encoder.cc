#include "exporters/otlp/encoder.h"

#include <algorithm>

#include "exa/base/overloaded.h"
#include "exporters/otlp/encoding_parts.h"
#include "exporters/otlp/wire.h"

namespace exa {
namespace {

using namespace otlp;

std::string encode_span(const Span& span) {
  std::string out;
  Builder<SpanField> builder(out);
  add_id(builder, SpanField::kTraceId, span.trace_id);
  add_id(builder, SpanField::kSpanId, span.span_id);
  if (!span.trace_state.empty()) add_text(builder, SpanField::kTraceState, span.trace_state);
  add_id(builder, SpanField::kParentSpanId, span.parent_span_id);
  add_text(builder, SpanField::kName, span.name);
  builder.add_enum(SpanField::kKind, static_cast<std::int32_t>(span.kind));
  builder.add_fixed64(SpanField::kStart, span.start.ns);
  builder.add_fixed64(SpanField::kEnd, span.end.ns);
  add_attributes(builder, SpanField::kAttributes, span.attributes);
  for (const SpanEvent& event : span.events) {
    Builder<EventField> one(builder, SpanField::kEvents);
    one.add_fixed64(EventField::kTime, event.time.ns);
    add_text(one, EventField::kName, event.name);
  }
  if (span.status != SpanStatus::kUnset || !span.status_message.empty()) {
    Builder<StatusField> status(builder, SpanField::kStatus);
    if (!span.status_message.empty()) add_text(status, StatusField::kMessage, span.status_message);
    status.add_enum(StatusField::kCode, static_cast<std::int32_t>(span.status));
  }
  builder.add_fixed32(SpanField::kFlags, span.flags);
  return out;
}

std::string encode_exemplar(const Exemplar& exemplar) {
  std::string out;
  Builder<ExemplarField> builder(out);
  builder.add_fixed64(ExemplarField::kTime, exemplar.time.ns);
  builder.add_double(ExemplarField::kAsDouble, exemplar.value);
  if (exemplar.has_ids()) {
    add_id(builder, ExemplarField::kSpanId, exemplar.span_id);
    add_id(builder, ExemplarField::kTraceId, exemplar.trace_id);
  }
  std::string reason;
  encode(reason, {.key = "exemplar.reason", .value = std::string(reason_text(exemplar.reason))});
  builder.add_message(ExemplarField::kFilteredAttributes, reason);
  return out;
}

std::string encode_explicit(const HistogramPoint& point) {
  std::string out;
  Builder<HistogramPointField> builder(out);
  builder.add_fixed64(HistogramPointField::kStart, point.start.ns);
  builder.add_fixed64(HistogramPointField::kTime, point.time.ns);
  builder.add_fixed64(HistogramPointField::kCount, point.count);
  builder.add_double(HistogramPointField::kSum, point.sum);
  builder.add_packed_fixed64(HistogramPointField::kBucketCounts, point.bucket_counts.begin(),
                             point.bucket_counts.end());
  if (point.bounds)
    builder.add_packed_double(HistogramPointField::kExplicitBounds, point.bounds->begin(),
                              point.bounds->end());
  for (const Exemplar& exemplar : point.exemplars)
    builder.add_message(HistogramPointField::kExemplars, encode_exemplar(exemplar));
  add_attributes(builder, HistogramPointField::kAttributes, point.attributes);
  if (point.count > 0 && point.extremes_known) {
    builder.add_double(HistogramPointField::kMin, point.min);
    builder.add_double(HistogramPointField::kMax, point.max);
  }
  return out;
}

// Its exemplars by time, as Prometheus wants them of such a histogram.
std::string encode_exponential(const HistogramPoint& point) {
  const auto& buckets = *point.exponential;
  std::string positive;
  Builder<BucketsField> bucket_builder(positive);
  bucket_builder.add_sint32(BucketsField::kOffset, buckets.offset);
  bucket_builder.add_packed_uint64(BucketsField::kCounts, buckets.counts.begin(),
                                   buckets.counts.end());
  std::string out;
  Builder<ExponentialPointField> builder(out);
  add_attributes(builder, ExponentialPointField::kAttributes, point.attributes);
  builder.add_fixed64(ExponentialPointField::kStart, point.start.ns);
  builder.add_fixed64(ExponentialPointField::kTime, point.time.ns);
  builder.add_fixed64(ExponentialPointField::kCount, point.count);
  builder.add_double(ExponentialPointField::kSum, point.sum);
  builder.add_sint32(ExponentialPointField::kScale, buckets.scale);
  builder.add_fixed64(ExponentialPointField::kZeroCount, buckets.zero_count);
  builder.add_message(ExponentialPointField::kPositive, positive);
  auto exemplars = point.exemplars;
  std::ranges::stable_sort(exemplars, {}, &Exemplar::time);
  for (const Exemplar& exemplar : exemplars)
    builder.add_message(ExponentialPointField::kExemplars, encode_exemplar(exemplar));
  if (point.count > 0 && point.extremes_known) {
    builder.add_double(ExponentialPointField::kMin, point.min);
    builder.add_double(ExponentialPointField::kMax, point.max);
  }
  return out;
}

std::string encode_point(const HistogramPoint& point) {
  return point.exponential ? encode_exponential(point) : encode_explicit(point);
}

// All points of a metric are of one kind: it is a setting.
bool is_exponential(const Histogram& histogram) {
  return !histogram.points.empty() && histogram.points.front().exponential != nullptr;
}

std::string encode_point(const NumberPoint& point) {
  std::string out;
  Builder<NumberPointField> builder(out);
  if (point.start.ns != 0) builder.add_fixed64(NumberPointField::kStart, point.start.ns);
  builder.add_fixed64(NumberPointField::kTime, point.time.ns);
  std::visit(
      Overloaded{
          [&](std::int64_t number) { builder.add_sfixed64(NumberPointField::kAsInt, number); },
          [&](double real) { builder.add_double(NumberPointField::kAsDouble, real); },
      },
      point.value);
  for (const Exemplar& exemplar : point.exemplars)
    builder.add_message(NumberPointField::kExemplars, encode_exemplar(exemplar));
  add_attributes(builder, NumberPointField::kAttributes, point.attributes);
  return out;
}

// Adds points to requests, opening and closing the messages around them, and begins a new request
// when the next point would pass the limit.
class RequestPacker {
 public:
  RequestPacker(const OtlpScope& scope, Temporality temporality, std::size_t limit_bytes,
                std::size_t skipped_points)
      : scope_(encode_scope(scope)),
        temporality_(temporality),
        limit_bytes_(limit_bytes),
        skipped_(skipped_points) {}

  void open_resource(const Resource* resource) {
    close_resource();
    resource_ = encode_resource(resource);
  }

  void open_metric(const Metric& metric) {
    close_metric();
    metric_.clear();
    Builder<MetricField> builder(metric_);
    add_text(builder, MetricField::kName, metric.name);
    if (!metric.description.empty())
      add_text(builder, MetricField::kDescription, metric.description);
    if (!metric.unit.empty()) add_text(builder, MetricField::kUnit, metric.unit);
    kind_ = std::visit(Overloaded{
                           [](const Gauge&) { return MetricField::kGauge; },
                           [](const Sum&) { return MetricField::kSum; },
                           [](const Histogram& histogram) {
                             return is_exponential(histogram) ? MetricField::kExponentialHistogram
                                                              : MetricField::kHistogram;
                           },
                       },
                       metric.points);
    monotonic_ = std::visit(Overloaded{
                                [](const Gauge&) { return false; },
                                [](const Sum& sum) { return sum.monotonic; },
                                [](const Histogram&) { return false; },
                            },
                            metric.points);
  }

  void add(const std::string& point) {
    if (skipped_ > 0) {
      --skipped_;
      return;
    }
    const std::size_t size = point.size() + kMessageOverhead;
    if (count_ != 0 && size_bytes() + size > limit_bytes_) flush();
    Builder<PointsField>(points_).add_message(PointsField::kPoints, point);
    ++count_;
  }

  std::vector<EncodedMetrics> finish() {
    if (count_ != 0) flush();
    return std::move(requests_);
  }

 private:
  // Tag and length of one embedded message, at most.
  static constexpr std::size_t kMessageOverhead = 6;

  // Upper bound of the request if it were closed now.
  [[nodiscard]] std::size_t size_bytes() const {
    return request_.size() + metrics_.size() + points_.size() + metric_.size() + resource_.size() +
           scope_.size() + 8 * kMessageOverhead;
  }

  void close_metric() {
    if (points_.empty()) return;
    Builder<PointsField> builder(points_);
    // A sum that may fall is cumulative in any case.
    const bool delta =
        temporality_ == Temporality::kDelta && (kind_ != MetricField::kSum || monotonic_);
    if (kind_ != MetricField::kGauge)
      builder.add_enum(PointsField::kTemporality, delta ? kDelta : kCumulative);
    if (kind_ == MetricField::kSum) builder.add_bool(PointsField::kMonotonic, monotonic_);
    std::string metric = metric_;
    Builder<MetricField>(metric).add_message(kind_, points_);
    Builder<ScopeItemsField>(metrics_).add_message(ScopeItemsField::kItems, metric);
    points_.clear();
  }

  void close_resource() {
    close_metric();
    if (metrics_.empty()) return;
    std::string scope_items;
    Builder<ScopeItemsField>(scope_items).add_message(ScopeItemsField::kScope, scope_);
    scope_items += metrics_;
    std::string resource_items;
    Builder<ResourceItemsField> builder(resource_items);
    builder.add_message(ResourceItemsField::kResource, resource_);
    builder.add_message(ResourceItemsField::kScopeItems, scope_items);
    Builder<RequestField>(request_).add_message(RequestField::kResourceItems, resource_items);
    metrics_.clear();
  }

  void flush() {
    close_resource();
    requests_.push_back({.request = std::move(request_), .points = count_});
    request_.clear();
    count_ = 0;
  }

  const std::string scope_;
  const Temporality temporality_;
  const std::size_t limit_bytes_;
  std::size_t skipped_;  // points that are still to be passed over
  std::vector<EncodedMetrics> requests_;
  std::size_t count_ = 0;  // points of the request being built

  std::string request_;   // closed resources
  std::string resource_;  // the open resource
  std::string metrics_;   // its closed metrics, as fields of ScopeMetrics
  std::string metric_;    // the open metric without its points
  std::string points_;    // its points, as fields of Gauge, Sum or Histogram
  MetricField kind_ = MetricField::kGauge;
  bool monotonic_ = false;
};

}  // namespace

std::string encode_spans(std::span<const Span> spans, const OtlpScope& scope) {
  return encode_by_resource(spans, scope, encode_span);
}

std::vector<EncodedMetrics> encode_metrics(const MetricBatch& batch, const OtlpScope& scope,
                                           std::size_t limit_bytes, Temporality temporality,
                                           std::size_t skipped_points) {
  RequestPacker packer(scope, temporality, limit_bytes, skipped_points);
  for (const ResourceMetrics& resource : batch.resources) {
    packer.open_resource(resource.resource.get());
    for (const Metric& metric : resource.metrics) {
      packer.open_metric(metric);
      std::visit(
          [&](const auto& kind) {
            for (const auto& point : kind.points)
              packer.add(encode_point(point));
          },
          metric.points);
    }
  }
  return packer.finish();
}

}  // namespace exa
