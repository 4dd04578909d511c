#include "exporters/otlp/delta.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "exa/base/overloaded.h"

namespace exa {
namespace {

void append(std::string& key, std::string_view text) {
  key += std::to_string(text.size());
  key += ':';
  key += text;
}

// Which series a point is of, among those of a batch. A resource is told by its content: a process
// may be described anew. One that began anew is another: while the older one has not expired both
// are in the batch.
std::string series_key(const Resource* resource, const Metric& metric, const Attributes& attributes,
                       WallTime start) {
  std::string key;
  append(key, metric.name);
  append(key, std::to_string(start.ns));
  for (const auto* const all :
       {resource == nullptr ? nullptr : &resource->attributes, &attributes}) {
    key += '|';
    if (all == nullptr) continue;
    for (const Attribute& attribute : *all) {
      append(key, attribute.key);
      append(key, attribute_text(*all, attribute.key));
    }
  }
  return key;
}

// The points of the earlier batch. It outlives this.
class Earlier {
 public:
  explicit Earlier(const MetricBatch* batch) {
    if (batch == nullptr) return;
    for (const ResourceMetrics& resource : batch->resources)
      for (const Metric& metric : resource.metrics) {
        for (const HistogramPoint& point : histogram_points(metric))
          histograms_.emplace(
              series_key(resource.resource.get(), metric, point.attributes, point.start), &point);
        for (const NumberPoint& point : counter_points(metric))
          numbers_.emplace(
              series_key(resource.resource.get(), metric, point.attributes, point.start), &point);
      }
  }

  // Null where the series has begun since.
  template <typename Point>
  [[nodiscard]] const Point* find(const Resource* resource, const Metric& metric,
                                  const Point& point) const {
    const auto& points = points_of(point);
    const auto known = points.find(series_key(resource, metric, point.attributes, point.start));
    return known == points.end() ? nullptr : known->second;
  }

 private:
  template <typename Point>
  using Points = std::unordered_map<std::string, const Point*>;
  [[nodiscard]] const Points<HistogramPoint>& points_of(const HistogramPoint&) const {
    return histograms_;
  }
  [[nodiscard]] const Points<NumberPoint>& points_of(const NumberPoint&) const { return numbers_; }

  Points<HistogramPoint> histograms_;
  Points<NumberPoint> numbers_;
};

// What counts never falls; should it, then that is not told as less than nothing.
template <typename Count>
Count less(Count a, Count b) {
  return a > b ? a - b : Count{0};
}

// The wall clock may have been set back since.
WallTime start_after(WallTime earlier, WallTime time) {
  return std::min(earlier, time);
}

// The count of what the buckets of one scale hold in each bucket of a smaller one.
void subtract(const ExponentialBuckets& earlier, ExponentialBuckets& from) {
  const int halvings = earlier.scale - from.scale;
  if (halvings < 0) return;  // scales only fall
  from.zero_count = less(from.zero_count, earlier.zero_count);
  for (std::size_t i = 0; i < earlier.counts.size(); ++i) {
    const auto index = (earlier.offset + static_cast<int>(i)) >> std::min(halvings, 31);
    const auto place = index - from.offset;
    if (place < 0 || static_cast<std::size_t>(place) >= from.counts.size()) continue;
    auto& count = from.counts[static_cast<std::size_t>(place)];
    count = less(count, earlier.counts[i]);
  }
}

bool subtract(const HistogramPoint& earlier, HistogramPoint& from) {
  from.start = start_after(earlier.time, from.time);
  from.count = less(from.count, earlier.count);
  from.sum = less(from.sum, earlier.sum);
  for (std::size_t i = 0; i < std::min(from.bucket_counts.size(), earlier.bucket_counts.size());
       ++i)
    from.bucket_counts[i] = less(from.bucket_counts[i], earlier.bucket_counts[i]);
  if (from.exponential && earlier.exponential) {
    auto buckets = std::make_shared<ExponentialBuckets>(*from.exponential);
    subtract(*earlier.exponential, *buckets);
    from.exponential = std::move(buckets);
  }
  from.extremes_known = from.window && from.window->count == from.count;
  if (from.extremes_known) {
    from.min = static_cast<double>(from.window->min_ns) / 1e9;
    from.max = static_cast<double>(from.window->max_ns) / 1e9;
  }
  return from.count > 0;
}

bool subtract(const NumberPoint& earlier, NumberPoint& from) {
  from.start = start_after(earlier.time, from.time);
  return std::visit(Overloaded{
                        [](std::int64_t& now, std::int64_t before) {
                          now = less(now, before);
                          return now != 0;
                        },
                        [](double& now, double before) {
                          now = less(now, before);
                          return now != 0;
                        },
                        // The same metric is of one type for good.
                        [](auto&, auto) { return false; },
                    },
                    from.value, earlier.value);
}

template <typename Point>
void keep_added(std::vector<Point>& points, const Resource* resource, const Metric& metric,
                const Earlier& earlier) {
  std::erase_if(points, [&](Point& point) {
    const auto* const before = earlier.find(resource, metric, point);
    return before != nullptr && !subtract(*before, point);
  });
}

}  // namespace

MetricBatch delta_batch(const MetricBatch& batch, const MetricBatch* earlier) {
  const Earlier known(earlier);
  MetricBatch delta = batch;
  for (ResourceMetrics& resource : delta.resources)
    for (Metric& metric : resource.metrics)
      std::visit(Overloaded{
                     [](Gauge&) {},
                     [&](Sum& sum) {
                       if (sum.monotonic)
                         keep_added(sum.points, resource.resource.get(), metric, known);
                     },
                     [&](Histogram& histogram) {
                       keep_added(histogram.points, resource.resource.get(), metric, known);
                     },
                 },
                 metric.points);
  return delta;
}

}  // namespace exa
