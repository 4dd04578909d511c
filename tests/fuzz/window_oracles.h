// What must hold of every window, whatever came in: the accounting identities to the last event,
// ids only where a span was acknowledged, bounds, and sound bytes in every form of output.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/request_pipeline/request_pipeline.h"
#include "agent/request_pipeline/window_publisher.h"
#include "exporters/console/json_exporter.h"
#include "exporters/console/table_text.h"
#include "exporters/console/window_rows.h"
#include "exporters/encoding/utf8.h"
#include "exporters/openmetrics/scrape_cache.h"
#include "exporters/openmetrics/series_name.h"
#include "exporters/otlp/encoder.h"
#include "tests/fuzz/otlp_totals.h"
#include "tests/support/openmetrics_grammar.h"

namespace exa::fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

inline void require_text_lines(const std::string& text) {
  require(is_valid_utf8(text) && (text.empty() || text.ends_with('\n')));
}

inline bool is_duration(const SeriesKey& key) {
  return row_of(key.kind).counts_requests;
}

// A backend that answers as it is told, and keeps what it acknowledged.
class SpanBackend final : public SpanExporter {
 public:
  explicit SpanBackend(int number) : number_(number) {}

  SpanDelivery export_spans(std::vector<Span> batch,
                            std::chrono::steady_clock::time_point) override {
    offered += batch.size();
    if (number_ == 0) check_encoded(batch);  // all are given the same
    // Two bits a batch, of which each backend reads others.
    const auto fate = static_cast<SpanDelivery>(answers >> (2 * ((batches_++ + number_) % 4)) & 3);
    if (fate == SpanDelivery::kAcknowledged)
      for (const auto& span : batch)
        stored.emplace(std::pair(span.trace_id, span.span_id), span.end.ns - span.start.ns);
    return fate;
  }
  void shutdown(std::chrono::steady_clock::time_point) override {}

  std::uint8_t answers = 0;
  std::size_t offered = 0;
  std::map<std::pair<TraceId, SpanId>, std::uint64_t> stored;  // and how long they took

 private:
  static void check_encoded(const std::vector<Span>& batch) {
    OtlpReader reader(true);
    reader.read(encode_spans(batch, {.version = "0"}));
    require(reader.totals().spans == batch.size());
    for (const auto& span : batch) {
      const auto line = span_json(span);
      require_text_lines(line);
      require(nlohmann::json::accept(line));
    }
  }

  const int number_;
  int batches_ = 0;
};

// Encodes batches in every form that leaves the agent: the forms take turns, the last batch has
// all.
class OutputCheck final : public MetricExporter {
 public:
  void export_metrics(std::shared_ptr<const MetricBatch> batch) override {
    newest = batch;
    cache_.set(batch);
    const auto view = reader_.read(*batch, RowOrder::kTime);
    const auto turn = batches_++ % 3;
    if (is_last || turn == 0) check_otlp(*batch);
    if (is_last || turn == 1) check_page(*batch);
    if (is_last || turn == 2) check_console(*batch, table_text(view, {}));
  }
  void shutdown(std::chrono::steady_clock::time_point) override {}

  template <typename Visit>
  static void each_point(const MetricBatch& batch, Visit visit) {
    for (const auto& resource : batch.resources)
      for (const auto& metric : resource.metrics)
        for (const auto& point : histogram_points(metric))
          visit(metric, point);
  }
  static std::size_t points_of(const MetricBatch& batch) {
    std::size_t points = 0;
    for (const auto& resource : batch.resources)
      for (const auto& metric : resource.metrics)
        points += std::visit([](const auto& of_a_shape) { return of_a_shape.points.size(); },
                             metric.points);
    return points;
  }
  static bool is_duration_metric(const Metric& metric) {
    return metric.name.ends_with(".request.duration");
  }
  static std::uint64_t duration_count_of(const MetricBatch& batch) {
    std::uint64_t count = 0;
    each_point(batch, [&](const Metric& metric, const HistogramPoint& point) {
      if (is_duration_metric(metric)) count += point.count;
    });
    return count;
  }

  std::shared_ptr<const MetricBatch> newest;
  bool is_last = false;

 private:
  void check_page(const MetricBatch& batch) {
    const auto page = cache_.get(ScrapeFormat::kOpenMetrics, false)->bytes;
    std::vector<test::OpenMetricsGrammar::Sample> samples;
    const auto fault = test::OpenMetricsGrammar::fault_of(page, &samples);
    if (fault) std::fprintf(stderr, "%s\n%s", fault->c_str(), page.c_str());
    require(is_valid_utf8(page) && !fault);
    double on_page = 0;
    for (const auto& sample : samples)
      if (sample.name.ends_with("_request_duration_seconds_count")) on_page += sample.value;
    // Of two targets of one identity the page shows the later.
    const auto counted = static_cast<double>(duration_count_of(batch));
    require(have_own_identities(batch) ? on_page == counted : on_page <= counted);
    require_text_lines(cache_.get(ScrapeFormat::kText, false)->bytes);
  }

  static void check_console(const MetricBatch& batch, const std::string& table) {
    const auto json = batch_json(batch);
    require_text_lines(json);
    for (std::size_t at = 0; at < json.size(); at = json.find('\n', at) + 1)
      require(nlohmann::json::accept(json.substr(at, json.find('\n', at) - at)));
    require_text_lines(table);
    for (const char c : table)
      require(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
  }

  static bool have_own_identities(const MetricBatch& batch) {
    std::set<std::string> identities;
    for (const auto& resource : batch.resources)
      if (!identities.insert(target_identity(resource.resource.get())).second) return false;
    return true;
  }

  static void check_otlp(const MetricBatch& batch) {
    constexpr std::size_t kLimit = 8192;
    const auto points = points_of(batch);
    std::size_t exemplars = 0;
    each_point(batch, [&](const Metric&, const HistogramPoint& point) {
      for (const auto& exemplar : point.exemplars)
        exemplars += exemplar.has_ids() ? 1 : 0;
    });
    OtlpReader reader(false);
    std::size_t claimed = 0;
    for (const auto& [request, its_points] : encode_metrics(batch, {.version = "0"}, kLimit)) {
      require(request.size() <= kLimit || its_points == 1);
      claimed += its_points;
      reader.read(request);
    }
    require(claimed == points && reader.totals().points == points);
    require(reader.totals().exemplars_with_ids == exemplars);
    require(reader.totals().duration_count == duration_count_of(batch));
  }

  ScrapeCache cache_;
  WindowReader reader_;
  int batches_ = 0;
};

// Follows what the pipeline counted from window to window.
class Accounts {
 public:
  Accounts(const RequestPipelineOptions& options, const Counters& counters)
      : options_(options), counters_(counters) {}

  void check_closed(const ClosedWindow& window, const RequestPipeline& pipeline,
                    std::uint64_t records_sent) {
    using enum Counter;
    for (const auto& series : window.series) {
      of_kind_[static_cast<std::size_t>(series.key.kind)] += series.delta.count();
      require(window.targets.contains(series.key.target));
      require((series.accounts != nullptr) == row_of(series.key.kind).counts_requests);
      if (!series.accounts) continue;
      const auto accounts = series.accounts->total();
      require(accounts.exchanges == series.delta.count());
      require(accounts.spent.total_ns() == series.delta.sum);
    }
    require(count(kRecordsConsumed) == records_sent);
    require(count(kChunksConsumed) == count(kChunksBelonging) + count(kChunksNotProtocol) +
                                          count(kChunksParseError) + count(kChunksOrphan));
    require(count(kExchanges) == count(kExchangesRecorded) + count(kExchangesExcluded) +
                                     count(kExchangesUnmeasured) + pipeline.held_exchanges());
    require(count(kExchangesRecorded) ==
            of_kind_[static_cast<std::size_t>(MetricKind::kServerDuration)] +
                of_kind_[static_cast<std::size_t>(MetricKind::kClientDuration)]);
    require(of_kind_[static_cast<std::size_t>(MetricKind::kServerDuration)] ==
            of_kind_[static_cast<std::size_t>(MetricKind::kServerQueue)] +
                count(kQueueTimeUnknown));

    require(pipeline.connections() <= options_.tracker.connections);
    require(pipeline.held_exchanges() <= options_.max_held_exchanges);
    require(pipeline.targets() <= options_.max_targets);
    require(pipeline.live_series() <=
            kMetricKinds * (options_.series.max_series_per_metric +
                            options_.series.max_overflow_series_per_metric + 1));
    require(window.spans.size() <= options_.sampler.burst_spans + options_.relatives.burst_spans +
                                       options_.sampler.floor_capacity);
    for (const auto& exemplar : window.exemplars)
      require(exemplar.span < window.spans.size());
  }

  // The window goes into the one that waits to be published, or waits itself.
  void joins(const ClosedWindow& window) {
    for (const auto& series : window.series)
      if (is_duration(series.key)) published_[series.uid] += series.delta.count();
    expired_.insert(expired_.end(), window.expired.begin(), window.expired.end());
  }

  void check_published(const std::vector<const SpanBackend*>& backends, const MetricBatch& batch) {
    using enum Counter;
    std::uint64_t published = 0;
    for (const auto& [uid, requests] : published_)
      published += requests;
    require(OutputCheck::duration_count_of(batch) == published);
    for (const auto uid : std::exchange(expired_, {}))
      published_.erase(uid);

    OutputCheck::each_point(batch, [&](const Metric& metric, const HistogramPoint& point) {
      for (const auto& exemplar : point.exemplars) {
        if (!exemplar.has_ids()) continue;
        for (const auto* const backend : backends) {
          const auto span = backend->stored.find({exemplar.trace_id, exemplar.span_id});
          require(span != backend->stored.end());
          if (OutputCheck::is_duration_metric(metric))
            require(exemplar.value == static_cast<double>(span->second) / 1e9);
        }
      }
    });
    require(count(kExemplarsChosen) == count(kExemplarsWithIds) + count(kExemplarsWithoutIds));
    for (const auto* const backend : backends)
      require(count(kSpansChosen) == backend->offered);
  }

 private:
  [[nodiscard]] std::uint64_t count(Counter counter) const { return counters_.get(counter); }

  const RequestPipelineOptions& options_;
  const Counters& counters_;
  std::array<std::uint64_t, kMetricKinds> of_kind_{};
  std::map<SeriesUid, std::uint64_t> published_;  // what windows held that joined
  std::vector<SeriesUid> expired_;                // in them
};

}  // namespace exa::fuzz
