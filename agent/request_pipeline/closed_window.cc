#include "agent/request_pipeline/closed_window.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "agent/exemplars/slot.h"
#include "agent/metrics/metric_table.h"
#include "agent/why/growth.h"

namespace exa {
namespace {

auto stratum_of(const WindowExemplar& exemplar) {
  const bool slowest = exemplar.reason == ExemplarReason::kSlowest;
  return std::tuple(exemplar.series, slowest, slowest ? std::uint8_t{0} : exemplar.bucket,
                    !slowest && exemplar.is_error);
}

}  // namespace

std::string WindowSeries::growth() const {
  return accounts ? growth_sentence(slowest_percent(accounts->by_bucket)) : std::string();
}

KeyTexts ClosedWindow::texts_of(const SeriesKey& key) const {
  const auto text_of = [this](NameId name) {
    const auto known = names.find(name);
    return known == names.end() ? KeyText{} : known->second;
  };
  return {.server = text_of(key.server.name), .name = text_of(key.name)};
}

std::string service_of(const ClosedWindow& window, TargetId id) {
  const auto target = window.targets.find(id);
  if (target == window.targets.end() || !target->second) return {};
  return target->second->service_name;
}

void ClosedWindow::absorb(ClosedWindow&& later) {
  end = later.end;
  offset = later.offset;
  last = later.last;

  std::unordered_map<SeriesUid, std::size_t> by_uid;
  for (std::size_t i = 0; i < series.size(); ++i)
    by_uid.emplace(series[i].uid, i);
  for (auto& mine : series)
    if (counts_open_requests(mine.key.kind)) mine.delta = {};
  for (const auto& other : later.series) {
    const auto known = by_uid.find(other.uid);
    if (known == by_uid.end()) {
      series.push_back(other);
      continue;
    }
    auto& mine = series[known->second];
    mine.delta.merge(other.delta);
    // Half of a window's durations would tell quantiles of nothing.
    if (mine.fine && other.fine)
      mine.fine->merge(*other.fine);
    else
      mine.fine.reset();
    if (mine.accounts && other.accounts) mine.accounts->merge(*other.accounts);
    if (mine.exponential && other.exponential) mine.exponential->merge(*other.exponential);
  }
  expired.insert(expired.end(), later.expired.begin(), later.expired.end());
  names.merge(later.names);
  targets.merge(later.targets);
  graph_ends.insert(graph_ends.end(), later.graph_ends.begin(), later.graph_ends.end());

  const auto first_span = static_cast<std::uint32_t>(spans.size());
  spans.insert(spans.end(), later.spans.begin(), later.spans.end());
  std::map<decltype(stratum_of(exemplars.front())), std::size_t> by_stratum;
  for (std::size_t i = 0; i < exemplars.size(); ++i)
    by_stratum.emplace(stratum_of(exemplars[i]), i);
  for (auto other : later.exemplars) {
    other.span += first_span;
    const auto known = by_stratum.find(stratum_of(other));
    if (known == by_stratum.end()) {
      exemplars.push_back(other);
      continue;
    }
    auto& mine = exemplars[known->second];
    const auto weight = mine.weight + other.weight;
    const auto& my_exchange = spans[mine.span].exchange;
    const auto& its_exchange = spans[other.span].exchange;
    const bool slower = other.reason == ExemplarReason::kSlowest && other.value > mine.value;
    const bool same_rank_decides =
        other.reason != ExemplarReason::kSlowest || other.value == mine.value;
    if (slower || (same_rank_decides && rank_of(its_exchange).beats(rank_of(my_exchange))))
      mine = other;
    mine.weight = weight;
  }
}

}  // namespace exa
