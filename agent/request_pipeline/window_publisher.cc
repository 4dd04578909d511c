#include "agent/request_pipeline/window_publisher.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "agent/request_pipeline/window_shares.h"

namespace exa {
namespace {

std::shared_ptr<const Resource> resource_of(const ClosedWindow& window, TargetId id) {
  auto target = window.targets.find(id);
  if (target == window.targets.end()) target = window.targets.find(kNoTarget);
  return target == window.targets.end() ? nullptr : target->second->resource;
}

// Of each span that is the slowest of a series, if there is something to tell.
std::map<std::size_t, std::string> growths_of(const ClosedWindow& window) {
  std::map<SeriesUid, const WindowSeries*> by_uid;
  for (const auto& series : window.series)
    if (series.accounts) by_uid.emplace(series.uid, &series);
  std::map<std::size_t, std::string> growths;
  for (const auto& exemplar : window.exemplars) {
    if (exemplar.reason != ExemplarReason::kSlowest) continue;
    const auto its = by_uid.find(exemplar.series);
    if (its == by_uid.end()) continue;
    if (auto growth = its->second->growth(); !growth.empty())
      growths.emplace(exemplar.span, std::move(growth));
  }
  return growths;
}

}  // namespace

WindowPublisher::WindowPublisher(const PublisherOptions& options, Counters& counters,
                                 std::vector<SpanExporter*> span_exporters,
                                 std::vector<MetricExporter*> metric_exporters,
                                 std::vector<SpanExporter*> record_exporters)
    : options_(options),
      counters_(counters),
      span_exporters_(std::move(span_exporters)),
      metric_exporters_(std::move(metric_exporters)),
      record_exporters_(std::move(record_exporters)) {}

std::vector<bool> WindowPublisher::publish(const ClosedWindow& window,
                                           std::vector<ResourceMetrics> extra) {
  series_.add(window);
  auto acknowledged = export_spans(window);
  export_records(window, acknowledged);
  auto exemplars = exemplars_of(window, acknowledged);
  ResourceMetrics of_spans{.resource = options_.agent, .metrics = {}};
  if (options_.span_metrics) {
    span_metrics_.add(window);
    of_spans.metrics = span_metrics_.points(window, exemplars);
  }
  if (options_.service_graph) {
    service_graph_.add(window);
    std::ranges::move(service_graph_.points(window), std::back_inserter(of_spans.metrics));
  }
  auto batch = series_.points(window, std::move(exemplars),
                              window_shares(window, acknowledged, !span_exporters_.empty()));
  count_retired(series_.forget(window.expired));
  if (!of_spans.metrics.empty()) batch.resources.push_back(std::move(of_spans));
  batch.resources.insert(batch.resources.end(), std::make_move_iterator(extra.begin()),
                         std::make_move_iterator(extra.end()));
  const auto shared = std::make_shared<const MetricBatch>(std::move(batch));
  for (auto* exporter : metric_exporters_)
    exporter->export_metrics(shared);
  return acknowledged;
}

// From the next page on, whose series no longer show them.
void WindowPublisher::count_retired(const CumulativeSeries::CountsOfMetrics& retired) {
  for (const auto& row : metric_rows())
    if (row.retired) counters_.add(*row.retired, retired[static_cast<std::size_t>(row.kind)]);
}

std::vector<bool> WindowPublisher::export_spans(const ClosedWindow& window) {
  std::vector<bool> acknowledged(window.spans.size());
  if (span_exporters_.empty()) return acknowledged;
  std::vector<bool> stands_for_exemplar(window.spans.size());
  for (const auto& exemplar : window.exemplars)
    stands_for_exemplar[exemplar.span] = true;
  const auto growths = growths_of(window);
  std::vector<std::size_t> awaited;
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < window.spans.size(); ++i)
    if (!window.spans[i].skipped) (stands_for_exemplar[i] ? awaited : others).push_back(i);

  const auto in_batches = [](const std::vector<std::size_t>& all, std::size_t size, auto visit) {
    for (std::size_t first = 0; first < all.size(); first += size) {
      const auto last = std::min(first + size, all.size());
      visit({all.begin() + static_cast<std::ptrdiff_t>(first),
             all.begin() + static_cast<std::ptrdiff_t>(last)});
    }
  };
  using Batch = std::vector<std::size_t>;
  const auto deadline = std::chrono::steady_clock::now() + options_.ack_deadline;
  in_batches(awaited, std::max<std::size_t>(options_.exemplar_spans_per_batch, 1),
             [&](const Batch& batch) {
               const bool stored = deliver(window, growths, batch, deadline);
               for (const auto i : batch)
                 acknowledged[i] = stored;
             });
  // Nobody waits for the fate of these.
  in_batches(others, std::max<std::size_t>(options_.other_spans_per_batch, 1),
             [&](const Batch& batch) { deliver(window, growths, batch, Deadline::min()); });
  return acknowledged;
}

bool WindowPublisher::deliver(const ClosedWindow& window, const GrowthOfSpan& growths,
                              const std::vector<std::size_t>& which, Deadline deadline) {
  std::vector<Span> spans;
  spans.reserve(which.size());
  for (const auto i : which) {
    const auto& exchange = window.spans[i].exchange;
    auto purpose = window.spans[i].purpose;
    if (const auto growth = growths.find(i); growth != growths.end())
      purpose.growth = growth->second;
    spans.push_back(
        synthesize_span(exchange, purpose, resource_of(window, exchange.target), window.offset));
  }
  counters_.add(Counter::kSpansChosen, spans.size());
  bool stored = true;
  const auto deliver_to = [&](SpanExporter& exporter, std::vector<Span> batch) {
    if (exporter.export_spans(std::move(batch), deadline) != SpanDelivery::kAcknowledged)
      stored = false;
  };
  for (std::size_t i = 0; i + 1 < span_exporters_.size(); ++i)
    deliver_to(*span_exporters_[i], spans);
  deliver_to(*span_exporters_.back(), std::move(spans));
  return stored;
}

// Of slow and failed requests. As of exemplars, only ids that open a stored trace go out.
void WindowPublisher::export_records(const ClosedWindow& window,
                                     const std::vector<bool>& acknowledged) {
  if (record_exporters_.empty()) return;
  const auto growths = growths_of(window);
  std::vector<Span> told;
  for (std::size_t i = 0; i < window.spans.size(); ++i) {
    auto purpose = window.spans[i].purpose;
    const auto& exchange = window.spans[i].exchange;
    if (purpose.reason != ExemplarReason::kSlowest && purpose.reason != ExemplarReason::kError)
      continue;
    if (const auto growth = growths.find(i); growth != growths.end())
      purpose.growth = growth->second;
    auto span =
        synthesize_span(exchange, purpose, resource_of(window, exchange.target), window.offset);
    const auto ids = ids_of(window.spans[i], acknowledged[i]);
    span.trace_id = ids.trace;
    span.span_id = ids.span;
    told.push_back(std::move(span));
  }
  for (auto* const exporter : record_exporters_)
    exporter->export_spans(told, Deadline::min());
}

// Those of a stored trace, or none.
WindowPublisher::Ids WindowPublisher::ids_of(const WindowSpan& span, bool acknowledged) const {
  const auto& exchange = span.exchange;
  if (acknowledged) return {exchange.trace_id, exchange.span_id};
  const bool sampled_upstream = exchange.has_context && (exchange.trace_flags & kTraceSampled) != 0;
  if ((span_exporters_.empty() || span.skipped) && sampled_upstream)
    return {exchange.trace_id, exchange.parent_span_id};
  return {};
}

CumulativeSeries::ExemplarsOfSeries WindowPublisher::exemplars_of(
    const ClosedWindow& window, const std::vector<bool>& acknowledged) {
  CumulativeSeries::ExemplarsOfSeries exemplars;
  for (const auto& chosen : window.exemplars) {
    const auto& span = window.spans[chosen.span];
    const auto ids = ids_of(span, acknowledged[chosen.span]);
    const Exemplar exemplar{.value = row_of(chosen.kind).bounds().in_units(chosen.value),
                            .time = window.offset.to_wall(span.exchange.last_response),
                            .trace_id = ids.trace,
                            .span_id = ids.span,
                            .reason = chosen.reason};
    counters_.add(Counter::kExemplarsChosen);
    counters_.add(exemplar.has_ids() ? Counter::kExemplarsWithIds : Counter::kExemplarsWithoutIds);
    exemplars[chosen.series].push_back(exemplar);
  }
  return exemplars;
}

}  // namespace exa
