// Everything that one window leaves behind: what was counted, which requests explain it, and who
// they belong to. A value: made by the capture thread, handed to the window thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/metrics/distribution.h"
#include "agent/metrics/exponential_histogram.h"
#include "agent/metrics/series_registry.h"
#include "agent/request_pipeline/account_series.h"
#include "agent/request_pipeline/fine_series.h"
#include "agent/request_pipeline/graph_ends.h"
#include "agent/trace/span_synthesizer.h"
#include "exa/model/exchange.h"
#include "exa/model/target.h"

namespace exa {

struct WindowSeries {
  SeriesUid uid = 0;
  SeriesKey key;
  Distribution delta;
  std::shared_ptr<FineWindow> fine;                   // null: not kept
  std::shared_ptr<AccountWindow> accounts;            // likewise
  std::shared_ptr<ExponentialHistogram> exponential;  // likewise

  // What its slowest requests spent more time on than the others; empty: nothing to tell.
  [[nodiscard]] std::string growth() const;
};

// A request whose span will be exported, unless it is skipped: an SDK has its own.
struct WindowSpan {
  Exchange exchange;
  SpanPurpose purpose;
  bool skipped = false;
};

struct WindowExemplar {
  SeriesUid series = 0;
  std::uint8_t bucket = 0;
  bool is_error = false;
  ExemplarReason reason = ExemplarReason::kBucket;
  MetricKind kind = MetricKind::kServerDuration;  // of the series
  std::uint64_t value = 0;
  std::uint64_t weight = 1;  // admitted requests of its stratum, for which it stands
  std::uint32_t span = 0;    // in ClosedWindow::spans
};

struct ClosedWindow {
  WallTime start;
  WallTime end;
  WallClockOffset offset;
  std::vector<WindowSeries> series;  // only those that counted something
  std::map<NameId, KeyText> names;   // in the keys of series that counted for the first time
  std::vector<SeriesUid> expired;
  std::vector<WindowSpan> spans;  // exemplars' first, most important first
  std::vector<WindowExemplar> exemplars;
  std::vector<GraphEnd> graph_ends;  // where the graph of services is asked for
  bool last = false;                 // none comes after it
  std::map<TargetId, std::shared_ptr<const Target>> targets;  // of all series, spans and ends

  // Of a series that counted for the first time.
  [[nodiscard]] KeyTexts texts_of(const SeriesKey& key) const;

  // Makes this window and the one after it into one. No count is lost; of two exemplars of one
  // stratum the better one stays.
  void absorb(ClosedWindow&& later);
};

// service.name of one of its targets; empty: it is none.
std::string service_of(const ClosedWindow& window, TargetId id);

}  // namespace exa
