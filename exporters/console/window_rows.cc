#include "exporters/console/window_rows.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "exa/base/overloaded.h"

namespace exa {
namespace {

// Identity of a counter across batches. Parts are prefixed by their length, so none can imitate
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

// What a counter that reports losses holds: it counts things, whole ones.
std::uint64_t count_of(const NumberPoint& point) {
  return std::visit(Overloaded{
                        [](std::int64_t number) {
                          return number < 0 ? std::uint64_t{0} : static_cast<std::uint64_t>(number);
                        },
                        [](double /*no count*/) { return std::uint64_t{0}; },
                    },
                    point.value);
}

std::string counter_name(std::string_view metric, const Attributes& attributes) {
  constexpr std::string_view kPrefix = "exemplar_agent.";
  if (metric.starts_with(kPrefix)) metric.remove_prefix(kPrefix.size());
  std::string name(metric);
  const std::string reason = attribute_text(attributes, "reason");
  return reason.empty() ? name : name + "{" + reason + "}";
}

std::vector<DurationCell> merged(const std::vector<DurationCell>& a,
                                 const std::vector<DurationCell>& b) {
  std::vector<DurationCell> both;
  both.reserve(a.size() + b.size());
  std::ranges::merge(a, b, std::back_inserter(both), {}, &DurationCell::middle_ns,
                     &DurationCell::middle_ns);
  std::vector<DurationCell> cells;
  for (const DurationCell& cell : both) {
    if (!cells.empty() && cells.back().middle_ns == cell.middle_ns)
      cells.back().count += cell.count;
    else
      cells.push_back(cell);
  }
  return cells;
}

void add(WindowRow& row, const HistogramPoint& point) {
  const WindowShare& share = *point.window;
  const bool is_first = row.count == 0;
  row.min_ns = is_first ? share.min_ns : std::min(row.min_ns, share.min_ns);
  if (is_first || share.max_ns > row.max_ns) {
    row.max_ns = share.max_ns;
    row.slowest = share.slowest;
    row.growth = share.growth;
  }
  // Cells of some of its series would tell of none.
  if (is_first)
    row.cells = share.cells;
  else if (!row.cells.empty())
    row.cells = share.cells.empty() ? share.cells : merged(row.cells, share.cells);
  row.count += share.count;
  row.errors += point.requests->is_error ? share.count : 0;
  row.sum_ns += share.sum_ns;
  row.exemplars.insert(row.exemplars.end(), point.exemplars.begin(), point.exemplars.end());
}

// What a row is sorted by, most first.
std::uint64_t weight_of(const WindowRow& row, RowOrder order) {
  switch (order) {
    case RowOrder::kTime:
      return row.sum_ns;
    case RowOrder::kRate:
      return row.count;
    case RowOrder::kErrors:
      return row.errors;
    case RowOrder::kP99:
      return quantile_ns(row, 0.99).value_or(row.max_ns);
    case RowOrder::kMax:
      return row.max_ns;
    case RowOrder::kName:
      return 0;
  }
  return 0;
}

using RowKey = std::tuple<std::string, std::string, std::string, std::string>;
using Rows = std::map<RowKey, WindowRow>;

// A service stands where its first row does, or where all of its requests put it.
std::vector<ServiceRows> by_service(Rows&& rows, RowOrder order) {
  std::vector<ServiceRows> services;
  for (auto& [key, row] : rows) {  // by service first
    if (services.empty() || services.back().service != row.service)
      services.push_back({.service = row.service, .sum_ns = 0, .rows = {}});
    services.back().sum_ns += row.sum_ns;
    services.back().rows.push_back(std::move(row));
  }
  std::vector<std::pair<std::uint64_t, std::size_t>> places;
  for (ServiceRows& service : services) {
    std::stable_sort(service.rows.begin(), service.rows.end(),
                     [&](const WindowRow& a, const WindowRow& b) {
                       return weight_of(a, order) > weight_of(b, order);
                     });
    std::uint64_t weight = 0;
    for (const WindowRow& row : service.rows) {
      const bool adds_up =
          order == RowOrder::kTime || order == RowOrder::kRate || order == RowOrder::kErrors;
      weight = adds_up ? weight + weight_of(row, order) : std::max(weight, weight_of(row, order));
    }
    places.emplace_back(weight, places.size());
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<ServiceRows> sorted;
  for (const auto& [weight, place] : places)
    sorted.push_back(std::move(services[place]));
  return sorted;
}

void add_points(Rows& rows, const std::string& service, const Histogram& histogram) {
  for (const HistogramPoint& point : histogram.points) {
    if (!point.requests || !point.window || point.window->count == 0) continue;
    const RequestSeries& requests = *point.requests;
    const std::string side = requests.at_client ? "client" : "server";
    std::string method = requests.asked;
    if (method.empty() && !attribute_text(point.attributes, "otel.metric.overflow").empty())
      method = "(others)";
    WindowRow& row = rows[{service, side, method, requests.answered}];
    add(row, point);
    row.service = service;
    row.side = side;
    row.method = std::move(method);
    row.status = requests.answered;
  }
}

}  // namespace

std::optional<std::uint64_t> quantile_ns(const WindowRow& row, double q) {
  if (row.cells.empty()) return std::nullopt;
  const double rank = std::max(std::ceil(q * static_cast<double>(row.count)), 1.0);
  double counted = 0;
  for (const DurationCell& cell : row.cells) {
    counted += static_cast<double>(cell.count);
    if (counted >= rank) return std::clamp(cell.middle_ns, row.min_ns, row.max_ns);
  }
  return row.max_ns;
}

WindowView WindowReader::read(const MetricBatch& batch, RowOrder order) {
  WindowView view{.start = batch.window_start,
                  .end = batch.window_end,
                  .services = {},
                  .losses = {},
                  .degraded = {}};
  std::unordered_map<std::string, std::uint64_t> counters;
  std::map<std::string, std::uint64_t> losses;
  std::map<std::string, std::uint64_t> degraded;
  Rows rows;

  const auto count = [&](const Resource* resource, const Metric& metric, const Sum& sum) {
    for (const NumberPoint& point : sum.points) {
      if (point.kind == CounterKind::kFlow) continue;
      const auto now = count_of(point);
      std::string key = series_key(resource, metric.name, point.attributes);
      const auto before = counters_.find(key);
      const std::uint64_t base = before == counters_.end() ? 0 : before->second;
      auto& rose = point.kind == CounterKind::kLoss ? losses : degraded;
      if (now > base) rose[counter_name(metric.name, point.attributes)] += now - base;
      counters[std::move(key)] = now;
    }
  };

  for (const ResourceMetrics& resource : batch.resources) {
    const std::string service = service_text(resource.resource.get());
    for (const Metric& metric : resource.metrics) {
      std::visit(Overloaded{
                     [](const Gauge& /*not of a window*/) {},
                     [&](const Sum& sum) { count(resource.resource.get(), metric, sum); },
                     [&](const Histogram& histogram) { add_points(rows, service, histogram); },
                 },
                 metric.points);
    }
  }
  counters_ = std::move(counters);
  view.services = by_service(std::move(rows), order);
  for (const auto& [name, rise] : losses)
    view.losses.push_back({name, rise});
  for (const auto& [name, rise] : degraded)
    view.degraded.push_back({name, rise});
  return view;
}

}  // namespace exa
