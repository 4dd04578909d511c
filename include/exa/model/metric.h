// Metric points as the exporters see them (OpenTelemetry metrics.proto). A batch is immutable once
// published and shared by all exporters.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "exa/base/overloaded.h"
#include "exa/base/time.h"
#include "exa/model/attribute.h"
#include "exa/model/trace_context.h"

namespace exa {

// Why a request was chosen: span attribute exemplar.reason. In the order in which the budget serves
// them.
enum class ExemplarReason : std::uint8_t { kSlowest, kError, kBucket, kFloor };

constexpr const char* reason_text(ExemplarReason reason) {
  switch (reason) {
    case ExemplarReason::kSlowest:
      return "slowest";
    case ExemplarReason::kError:
      return "error";
    case ExemplarReason::kBucket:
      return "bucket";
    case ExemplarReason::kFloor:
      return "floor";
  }
  return "bucket";
}

// What a reader is shown first where there is room for one exemplar only: the larger one.
constexpr int importance(ExemplarReason reason) {
  switch (reason) {
    case ExemplarReason::kFloor:
      return 0;
    case ExemplarReason::kBucket:
      return 1;
    case ExemplarReason::kSlowest:
      return 2;
    case ExemplarReason::kError:
      return 3;
  }
  return 0;
}

struct Exemplar {
  double value =
      0;          // in its histogram's unit; a duration is its span's (end - start) / 1e9 exactly
  WallTime time;  // when the request ended
  TraceId trace_id;  // both invalid: an exemplar without ids
  SpanId span_id;
  ExemplarReason reason = ExemplarReason::kBucket;
  [[nodiscard]] bool has_ids() const { return trace_id.valid() && span_id.valid(); }
};

// How often durations near one value were counted.
struct DurationCell {
  std::uint64_t middle_ns = 0;  // at most 1/32 of a duration away from it; below 1 us, 32 ns
  std::uint64_t count = 0;
};

// The request that took longest, as a person wants to know it. Text of observed traffic.
struct SlowestRequest {
  WallTime begin;
  std::string path;   // presentable: without query, tokens taken out; may be cut
  std::string route;  // the path with its variable parts named
  std::string peer;   // of a server the client, of a client the server; empty: not known
  std::string why;    // where its time went, in a sentence; empty: not known
  TraceId trace_id;   // invalid: no stored trace shows it
};

// Whose durations a series is of, as a table tells it. Text of observed traffic.
struct RequestSeries {
  bool at_client = false;  // the end at which they were measured
  std::string asked;       // "GET"; empty: not known, or of many
  std::string answered;    // "200", or what went wrong where there was no status; empty likewise
  bool is_error = false;
};

// What a series of requests counted in the window just closed; exact but for the cells.
struct WindowShare {
  std::uint64_t count = 0;
  std::uint64_t sum_ns = 0;
  std::uint64_t min_ns = 0;
  std::uint64_t max_ns = 0;
  std::vector<DurationCell> cells;        // ascending; empty: not kept
  std::optional<SlowestRequest> slowest;  // it took max_ns
  std::string growth;  // what the slowest requests spent more time on than the others; or empty
};

// The positive buckets of an exponential histogram: bucket offset + i counts values in
// (base^(offset + i), base^(offset + i + 1)], base = 2^(2^-scale). None are negative.
struct ExponentialBuckets {
  int scale = 0;
  std::uint64_t zero_count = 0;
  int offset = 0;
  std::vector<std::uint64_t> counts;
};

struct HistogramPoint {
  Attributes attributes;
  WallTime start;
  WallTime time;
  std::uint64_t count = 0;  // equals the sum of bucket_counts
  double sum = 0;
  double min = 0;  // of the whole time since start; meaningful when count > 0
  double max = 0;
  bool extremes_known = true;                // min and max
  std::vector<std::uint64_t> bucket_counts;  // bounds.size() + 1, not cumulative over buckets
  std::shared_ptr<const std::vector<double>> bounds;  // ascending upper bounds, inclusive
  // The same values, where exponential histograms are wanted; or null.
  std::shared_ptr<const ExponentialBuckets> exponential;
  std::vector<Exemplar> exemplars;  // of the window just closed, ascending by value
  // Where it counts requests, each once, by their durations; else null, and so is the window.
  std::shared_ptr<const RequestSeries> requests;
  std::shared_ptr<const WindowShare> window;  // null: nothing was counted in it
};

// What a rise of a counter means. No format carries it: it is for the agent's own displays.
enum class CounterKind : std::uint8_t {
  kFlow,      // work done, or left out as configured
  kLoss,      // something is missing that users would count or look for
  kDegraded,  // nothing is missing, but less is known about it, or later
};

struct NumberPoint {
  Attributes attributes;
  WallTime start;  // unused by gauges
  WallTime time;
  std::variant<std::int64_t, double> value;
  std::vector<Exemplar> exemplars{};  // of monotonic sums: the latest, if any
  CounterKind kind = CounterKind::kFlow;
};

struct Gauge {
  std::vector<NumberPoint> points;
};
struct Sum {
  std::vector<NumberPoint> points;
  bool monotonic = true;
};
struct Histogram {
  std::vector<HistogramPoint> points;
};

// Sums and histograms are cumulative.
struct Metric {
  std::string name;  // OpenTelemetry name: "db.client.operation.duration"
  std::string description;
  std::string unit;  // UCUM: "s", "By", "{request}"
  std::variant<Gauge, Sum, Histogram> points;
};

// None of a metric of another shape.
inline std::span<const HistogramPoint> histogram_points(const Metric& metric) {
  using Points = std::span<const HistogramPoint>;
  return std::visit(Overloaded{
                        [](const Gauge&) { return Points{}; },
                        [](const Sum&) { return Points{}; },
                        [](const Histogram& histogram) { return Points(histogram.points); },
                    },
                    metric.points);
}

inline bool is_counter(const Metric& metric) {
  return std::visit(Overloaded{
                        [](const Gauge&) { return false; },
                        [](const Sum& sum) { return sum.monotonic; },
                        [](const Histogram&) { return false; },
                    },
                    metric.points);
}

// None where it is no counter.
inline std::span<const NumberPoint> counter_points(const Metric& metric) {
  using Points = std::span<const NumberPoint>;
  return std::visit(
      Overloaded{
          [](const Gauge&) { return Points{}; },
          [](const Sum& sum) { return sum.monotonic ? Points(sum.points) : Points{}; },
          [](const Histogram&) { return Points{}; },
      },
      metric.points);
}

struct ResourceMetrics {
  std::shared_ptr<const Resource> resource;
  std::vector<Metric> metrics;
  bool of_agent = false;  // the agent's account of itself
};

struct MetricBatch {
  WallTime window_start;
  WallTime window_end;
  std::vector<ResourceMetrics> resources;
};

}  // namespace exa
