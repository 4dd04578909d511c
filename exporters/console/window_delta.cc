#include "exporters/console/window_delta.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>
#include <tuple>

namespace exa {
namespace {

// Identity of a series across batches. Parts are prefixed by their length, so none can imitate
// another.
std::string series_key(const Resource* resource, const std::string& metric,
                       const Attributes& attributes) {
  std::string key;
  const auto add = [&](const std::string& part) {
    key += std::to_string(part.size()) + ':' + part;
  };
  const auto add_all = [&](const Attributes& all) {
    for (const Attribute& attribute : all) {
      add(attribute.key);
      add(attribute_text(attribute.value));
    }
    key += '/';
  };
  if (resource != nullptr) add_all(resource->attributes);
  add(metric);
  add_all(attributes);
  return key;
}

// Durations of requests at one end; a time of our own (in a queue) is not one.
std::string side_of(const Metric& metric) {
  const std::string_view name = metric.name;
  if (metric.unit != "s" || name.starts_with("exemplar_agent")) return {};
  if (name.find(".server.") != std::string_view::npos) return "server";
  if (name.find(".client.") != std::string_view::npos) return "client";
  return {};
}

bool is_loss(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kWords = {"dropped", "lost", "orphans",
                                                             "parse_errors", "evicted"};
  return name.starts_with("exemplar_agent") &&
         std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
           return name.find(word) != std::string_view::npos;
         });
}

std::string loss_name(std::string_view metric, const Attributes& attributes) {
  constexpr std::string_view kPrefix = "exemplar_agent_";
  constexpr std::string_view kSuffix = "_total";
  if (metric.starts_with(kPrefix)) metric.remove_prefix(kPrefix.size());
  if (metric.ends_with(kSuffix)) metric.remove_suffix(kSuffix.size());
  std::string name(metric);
  const std::string reason = attribute_text(attributes, "reason");
  return reason.empty() ? name : name + "{" + reason + "}";
}

// What the durations of the window can be at most and at least. The minimum and maximum of the
// point are those of the whole time since start; they bound the window's only in a bucket that
// holds them. The exemplars of the window are durations of the window.
void bound_row(DeltaRow& row, const HistogramPoint& point,
               const std::vector<std::uint64_t>& window) {
  const std::vector<double>& bounds = *point.bounds;
  const auto first = std::find_if(window.begin(), window.end(), [](auto n) { return n != 0; });
  const auto last = std::find_if(window.rbegin(), window.rend(), [](auto n) { return n != 0; });
  const auto lowest = static_cast<std::size_t>(first - window.begin());
  const auto highest = static_cast<std::size_t>(window.rend() - last) - 1;

  double low = lowest == 0 ? 0.0 : bounds[lowest - 1];
  double high = highest < bounds.size() ? bounds[highest] : point.max;
  low = std::max(low, point.min);
  high = std::max(std::min(high, point.max), low);
  // The slowest request of the window is known exactly if it became an exemplar.
  for (const Exemplar& exemplar : point.exemplars)
    if (exemplar.reason == ExemplarReason::kSlowest && exemplar.value >= low)
      high = std::min(high, exemplar.value);
  const bool started = row.count == 0;
  row.lowest_seconds = started ? low : std::min(row.lowest_seconds, low);
  row.highest_seconds = started ? high : std::max(row.highest_seconds, high);
}

using RowKey = std::tuple<std::string, std::string, std::string, std::string, std::vector<double>>;

}  // namespace

double estimate_quantile(const DeltaRow& row, double q) {
  if (row.count == 0 || !row.bounds) return 0;
  const double rank = q * static_cast<double>(row.count);
  double below = 0;
  for (std::size_t i = 0; i < row.buckets.size(); ++i) {
    const auto here = static_cast<double>(row.buckets[i]);
    if (here == 0 || below + here < rank) {
      below += here;
      continue;
    }
    const double lower = std::max(i == 0 ? 0.0 : (*row.bounds)[i - 1], row.lowest_seconds);
    const double upper = std::min(i < row.bounds->size() ? (*row.bounds)[i] : row.highest_seconds,
                                  row.highest_seconds);
    return std::clamp(lower + (upper - lower) * std::max(rank - below, 0.0) / here,
                      row.lowest_seconds, row.highest_seconds);
  }
  return row.highest_seconds;
}

WindowDelta DeltaTracker::advance(const MetricBatch& batch) {
  WindowDelta window{
      .start = batch.window_start, .end = batch.window_end, .rows = {}, .losses = {}};
  std::unordered_map<std::string, Previous> histograms;
  std::unordered_map<std::string, std::uint64_t> counters;
  std::map<RowKey, DeltaRow> rows;
  std::map<std::string, std::uint64_t> losses;

  const auto count_loss = [&](const Resource* resource, const Metric& metric) {
    for (const NumberPoint& point : std::get<Sum>(metric.points).points) {
      const auto* value = std::get_if<std::int64_t>(&point.value);
      if (value == nullptr || *value < 0) continue;
      const auto now = static_cast<std::uint64_t>(*value);
      std::string key = series_key(resource, metric.name, point.attributes);
      const auto before = counters_.find(key);
      const std::uint64_t base = before == counters_.end() ? 0 : before->second;
      if (now > base) losses[loss_name(metric.name, point.attributes)] += now - base;
      counters[std::move(key)] = now;
    }
  };
  const auto count_requests = [&](const Resource* resource, const Metric& metric,
                                  const std::string& side) {
    const std::string service =
        resource == nullptr ? "" : attribute_text(resource->attributes, "service.name");
    for (const HistogramPoint& point : std::get<Histogram>(metric.points).points) {
      if (!point.bounds || point.bucket_counts.size() != point.bounds->size() + 1) continue;
      std::string key = series_key(resource, metric.name, point.attributes);
      const auto found = histograms_.find(key);
      // A new start, or a count that fell, is a new series: all of it is of this window.
      const bool continues = found != histograms_.end() && found->second.start == point.start &&
                             found->second.count <= point.count &&
                             found->second.buckets.size() == point.bucket_counts.size();
      std::vector<std::uint64_t> delta = point.bucket_counts;
      double sum = point.sum;
      if (continues) {
        for (std::size_t i = 0; i < delta.size(); ++i)
          delta[i] -= std::min(delta[i], found->second.buckets[i]);
        sum -= found->second.sum;
      }
      std::uint64_t count = 0;
      for (const std::uint64_t n : delta)
        count += n;
      histograms[std::move(key)] = {point.start, point.count, point.sum, point.bucket_counts};
      if (count == 0) continue;

      const std::string error = attribute_text(point.attributes, "error.type");
      std::string status = attribute_text(point.attributes, "http.response.status_code");
      if (status.empty()) status = attribute_text(point.attributes, "rpc.status_code");
      if (status.empty()) status = attribute_text(point.attributes, "db.response.status_code");
      if (status.empty()) status = error;
      std::string method = attribute_text(point.attributes, "http.request.method");
      if (method.empty()) method = attribute_text(point.attributes, "rpc.method");
      if (method.empty()) method = attribute_text(point.attributes, "db.operation.name");

      DeltaRow& row = rows[{service, side, method, status, *point.bounds}];
      bound_row(row, point, delta);
      row.service = service;
      row.side = side;
      row.method = std::move(method);
      row.status = std::move(status);
      row.bounds = point.bounds;
      row.buckets.resize(delta.size());
      for (std::size_t i = 0; i < delta.size(); ++i)
        row.buckets[i] += delta[i];
      row.count += count;
      row.errors += error.empty() ? 0 : count;
      row.sum_seconds += std::max(sum, 0.0);
      row.exemplars.insert(row.exemplars.end(), point.exemplars.begin(), point.exemplars.end());
    }
  };

  for (const ResourceMetrics& resource : batch.resources) {
    for (const Metric& metric : resource.metrics) {
      if (std::holds_alternative<Sum>(metric.points)) {
        if (is_loss(metric.name)) count_loss(resource.resource.get(), metric);
      } else if (std::holds_alternative<Histogram>(metric.points)) {
        if (const std::string side = side_of(metric); !side.empty())
          count_requests(resource.resource.get(), metric, side);
      }
    }
  }
  histograms_ = std::move(histograms);
  counters_ = std::move(counters);
  for (auto& [key, row] : rows)
    window.rows.push_back(std::move(row));
  std::stable_sort(window.rows.begin(), window.rows.end(),
                   [](const auto& a, const auto& b) { return a.sum_seconds > b.sum_seconds; });
  for (const auto& [name, count] : losses)
    window.losses.push_back({name, count});
  return window;
}

}  // namespace exa
