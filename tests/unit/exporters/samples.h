// Spans and metric batches with every field set, for the tests of the exporters.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "exa/model/metric.h"
#include "exa/model/span.h"

namespace exa::samples {

inline constexpr std::uint64_t kSecond = 1'000'000'000;
inline constexpr std::uint64_t kEpoch = 1'700'000'000 * kSecond;

inline TraceId trace_id(std::uint8_t last) {
  TraceId id;
  id.bytes = {0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6,
              0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, last};
  return id;
}
inline SpanId span_id(std::uint8_t last) {
  SpanId id;
  id.bytes = {0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, last};
  return id;
}

inline std::shared_ptr<const Resource> resource(const std::string& service = "checkout",
                                                const std::string& instance = "checkout-1") {
  return std::make_shared<const Resource>(Resource{{{"service.name", service},
                                                    {"service.namespace", std::string("shop")},
                                                    {"service.instance.id", instance},
                                                    {"process.pid", std::int64_t{4711}}}});
}

inline Span span(std::uint8_t number, std::shared_ptr<const Resource> of = resource()) {
  Span one;
  one.resource = std::move(of);
  one.trace_id = trace_id(number);
  one.span_id = span_id(number);
  one.parent_span_id = span_id(200);
  one.trace_state = "ot=rv:0123456789abcd";
  one.name = "GET /items";
  one.kind = SpanKind::kServer;
  one.flags = 0x301;
  one.start = {kEpoch};
  one.end = {kEpoch + 250'000'000};
  one.attributes = {{"http.request.method", std::string("GET")},
                    {"http.response.status_code", std::int64_t{503}},
                    {"ratio", 0.25},
                    {"exemplar", true}};
  one.events = {{.time = {kEpoch + 200'000'000}, .name = "first byte"}};
  one.status = SpanStatus::kError;
  one.status_message = "overloaded";
  return one;
}

inline std::vector<Span> spans(std::size_t count) {
  std::vector<Span> all;
  const auto shared = resource();
  for (std::size_t i = 0; i < count; ++i)
    all.push_back(span(static_cast<std::uint8_t>(i % 199 + 1), shared));
  return all;
}

inline Exemplar exemplar(double value, std::uint8_t number, std::uint64_t after_ns = 5 * kSecond,
                         ExemplarReason reason = ExemplarReason::kBucket) {
  return {.value = value,
          .time = {kEpoch + after_ns},
          .trace_id = trace_id(number),
          .span_id = span_id(number),
          .reason = reason};
}

// Bounds .1 .5 1; counts 4 3 2 1.
inline HistogramPoint histogram_point(Attributes attributes, std::vector<Exemplar> exemplars = {}) {
  static const auto kBounds =
      std::make_shared<const std::vector<double>>(std::vector<double>{0.1, 0.5, 1});
  HistogramPoint point;
  point.attributes = std::move(attributes);
  point.start = {kEpoch - 60 * kSecond};
  point.time = {kEpoch + 10 * kSecond};
  point.count = 10;
  point.sum = 4.5;
  point.min = 0.002;
  point.max = 1.75;
  point.bucket_counts = {4, 3, 2, 1};
  point.bounds = kBounds;
  point.exemplars = std::move(exemplars);
  return point;
}

inline HistogramPoint of_requests(HistogramPoint point, RequestSeries requests) {
  point.requests = std::make_shared<const RequestSeries>(std::move(requests));
  return point;
}

// Its last window: requests of these durations, each in a cell of its own.
inline HistogramPoint in_window(HistogramPoint point, std::vector<std::uint64_t> durations_ns) {
  WindowShare share;
  std::ranges::sort(durations_ns);
  for (const auto ns : durations_ns) {
    ++share.count;
    share.sum_ns += ns;
    share.cells.push_back({ns, 1});
  }
  share.min_ns = durations_ns.front();
  share.max_ns = durations_ns.back();
  share.slowest = SlowestRequest{.begin = {kEpoch + 3'120'000'000},
                                 .path = "/users/4711",
                                 .route = "/users/{id}",
                                 .peer = "10.0.0.1:40000",
                                 .why = {},
                                 .trace_id = {}};
  point.window = std::make_shared<const WindowShare>(std::move(share));
  return point;
}

inline Attributes get_200() {
  return {{"http.request.method", std::string("GET")},
          {"http.response.status_code", std::int64_t{200}}};
}

inline Metric duration_metric(std::vector<HistogramPoint> points,
                              const std::string& name = "http.server.request.duration") {
  return {.name = name,
          .description = "Duration of HTTP requests.",
          .unit = "s",
          .points = Histogram{std::move(points)}};
}

inline Metric counter_metric(const std::string& name, std::int64_t value,
                             const std::string& reason) {
  NumberPoint point;
  point.attributes = {{"reason", reason}};
  point.start = {kEpoch - 60 * kSecond};
  point.time = {kEpoch + 10 * kSecond};
  point.value = value;
  return {.name = name,
          .description = "records lost",
          .unit = "{record}",
          .points = Sum{.points = {point}, .monotonic = true}};
}

inline Metric gauge_metric(const std::string& name, double value) {
  NumberPoint point;
  point.time = {kEpoch + 10 * kSecond};
  point.value = value;
  return {.name = name,
          .description = "resident memory",
          .unit = "By",
          .points = Gauge{.points = {point}}};
}

// One window of one service, with the agent's own numbers beside.
inline MetricBatch batch(std::vector<Metric> metrics) {
  MetricBatch one;
  one.window_start = {kEpoch};
  one.window_end = {kEpoch + 10 * kSecond};
  one.resources.push_back({.resource = resource(), .metrics = std::move(metrics)});
  return one;
}

}  // namespace exa::samples
