#include "agent/explain/explainer.h"

#include <algorithm>
#include <utility>

#include "agent/metrics/metric_table.h"
#include "agent/metrics/series_key.h"
#include "agent/request_pipeline/told_request.h"
#include "agent/semantics/semantics.h"
#include "exa/base/time.h"

namespace exa {
namespace {

// Before there were so many, nothing is usual.
constexpr std::uint64_t kFewestWindows = 3;
// What is usual follows what is, by this share of the difference a window.
constexpr double kSlowestPace = 1.0 / 30;

const Resource* resource_of(const ClosedWindow& window, TargetId id) {
  const auto target = window.targets.find(id);
  return target == window.targets.end() || !target->second ? nullptr
                                                           : target->second->resource.get();
}

std::string operation_text(const SeriesKey& key, const ClosedWindow& window) {
  if (key.overflow) return "(others)";
  const auto texts = window.texts_of(key);
  const auto& semantics = semantics_of(key.convention);
  std::string text =
      semantics.label != nullptr ? semantics.label(key, texts) : std::string(semantics.name);
  const auto attributes = attributes_of(key, texts);
  if (const auto server = attribute_text(attributes, "server.address"); !server.empty()) {
    text += " to " + server;
    if (const auto port = attribute_text(attributes, "server.port"); !port.empty())
      text += ":" + port;
  }
  return text;
}

// What its requests took longer than expected, all together.
double excess_s(const MeanTime& mean, const MeanTime& expected, std::uint64_t requests) {
  return std::max(mean.total() - expected.total(), 0.0) * static_cast<double>(requests);
}

template <typename Told, typename Weight>
std::size_t keep_first(std::vector<Told>& all, Weight weight) {
  std::ranges::stable_sort(all, std::ranges::greater{}, weight);
  const auto kept = std::min(all.size(), Explainer::kMostTold);
  const auto left_out = all.size() - kept;
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(kept), all.end());
  return left_out;
}

}  // namespace

Explainer::Operation* Explainer::operation_of(const WindowSeries& series,
                                              const ClosedWindow& window) {
  const auto [known, is_new] = by_series_.try_emplace(series.uid, nullptr);
  const bool is_full = operations_.size() >= kMaxOperations;
  if (known->second != nullptr || (!is_new && is_full)) return known->second;
  // Only the first window of a series has its texts.
  if (is_new)
    waiting_.insert_or_assign(
        series.uid, Identity{service_text(resource_of(window, series.key.target)),
                             row_of(series.key.kind).end, operation_text(series.key, window)});
  auto operation = operations_.find(waiting_.at(series.uid));
  if (operation == operations_.end()) {
    if (is_full) return nullptr;
    operation = operations_.try_emplace(waiting_.at(series.uid)).first;
    operation->second.kind = series.key.kind;
    operation->second.is_error = series.key.error != ErrorType::kNone;
  }
  waiting_.erase(series.uid);
  return known->second = &operation->second;
}

void Explainer::count(const ClosedWindow& window, const std::vector<bool>& stored) {
  requests_.clear();
  not_compared_ = 0;
  std::unordered_map<SeriesUid, Operation*> counted;
  for (const auto& series : window.series) {
    if (!row_of(series.key.kind).counts_requests) continue;
    const auto requests = series.delta.count();
    requests_[{service_text(resource_of(window, series.key.target)),
               row_of(series.key.kind).end}] += requests;
    auto* const operation = operation_of(series, window);
    if (operation == nullptr) {
      ++not_compared_;
      continue;
    }
    counted.emplace(series.uid, operation);
    if (operation->last_window != window_) {
      operation->delta = {};
      operation->by_bucket = {};
      operation->slowest.reset();
      operation->slowest_ns = 0;
      operation->example.reset();
      const bool goes_on = operation->last_window != 0 && operation->last_window + 1 == window_;
      if (!goes_on) operation->since = window.start;
      operation->last_window = window_;
    }
    operation->delta.merge(series.delta);
    for (std::size_t bucket = 0; series.accounts && bucket < kMaxBuckets; ++bucket)
      operation->by_bucket[bucket].merge(series.accounts->by_bucket[bucket]);
  }
  for (const auto& exemplar : window.exemplars) {
    const auto its = counted.find(exemplar.series);
    if (its == counted.end()) continue;
    const auto& exchange = window.spans[exemplar.span].exchange;
    auto& operation = *its->second;
    const bool is_slower = exemplar.value > operation.slowest_ns || !operation.slowest;
    const bool is_example = exemplar.is_error && !operation.example;
    if (!is_slower && !is_example) continue;
    auto request = described(exchange, window.offset);
    if (exemplar.span < stored.size() && stored[exemplar.span])
      request.trace_id = exchange.trace_id;
    if (is_example) operation.example = request;
    if (!is_slower) continue;
    operation.slowest = std::move(request);
    operation.slowest_ns = exemplar.value;
  }
}

Explanation Explainer::explain(const ClosedWindow& window, const std::vector<bool>& stored) {
  ++window_;
  count(window, stored);
  Explanation explanation{.start = window.start,
                          .end = window.end,
                          .slow = {},
                          .failing = {},
                          .slow_left_out = 0,
                          .failing_left_out = 0};
  for (auto& [identity, operation] : operations_) {
    if (operation.last_window != window_) continue;
    const auto& [service, end, text] = identity;
    const ExplainedOperation who{.service = service, .end = end, .operation = text};
    const auto requests = operation.delta.count();
    AccountSum all;
    for (const auto& bucket : operation.by_bucket)
      all.merge(bucket);
    if (all.exchanges == 0) {  // no accounts are kept
      all.exchanges = requests;
      all.spent[TimeState::kUnknown] = operation.delta.sum;
    }
    const auto mean = mean_of(all);
    SlowOperation slow;
    static_cast<ExplainedOperation&>(slow) = who;
    slow.requests = requests;
    slow.mean_s = mean.total();
    slow.p99_s = quantile(operation.delta, row_of(operation.kind).bounds(), 0.99);
    slow.max_s = seconds_of(operation.delta.max);
    slow.slowest = operation.slowest;
    slow.slowest_s = seconds_of(operation.slowest_ns);
    const auto split = slowest_percent(operation.by_bucket);
    slow.than_others = growth_sentence(split);
    if (split.others.exchanges > 0)
      slow.lost_s =
          excess_s(mean_of(split.slowest), mean_of(split.others), split.slowest.exchanges);
    if (operation.windows >= kFewestWindows) {
      slow.usual_s = operation.usual.total();
      if (is_longer(mean, operation.usual)) slow.than_usual = growth_phrase(mean, operation.usual);
      slow.lost_s = std::max(slow.lost_s, excess_s(mean, operation.usual, requests));
    }
    explanation.slow.push_back(std::move(slow));
    if (operation.is_error) {
      FailingOperation failing;
      static_cast<ExplainedOperation&>(failing) = who;
      failing.failed = requests;
      failing.requests = requests_[{service, end}];
      failing.since = operation.since;
      failing.example = operation.example;
      explanation.failing.push_back(std::move(failing));
    }
    const auto pace = std::max(1.0 / static_cast<double>(++operation.windows), kSlowestPace);
    for (std::size_t i = 0; i < kTimeStates; ++i)
      operation.usual.s[i] += (mean.s[i] - operation.usual.s[i]) * pace;
  }
  explanation.slow_left_out =
      not_compared_ + keep_first(explanation.slow, [](const SlowOperation& slow) {
        return std::pair(slow.lost_s, slow.mean_s * static_cast<double>(slow.requests));
      });
  explanation.failing_left_out = keep_first(explanation.failing, &FailingOperation::failed);
  for (const auto uid : window.expired) {
    by_series_.erase(uid);
    waiting_.erase(uid);
  }
  forget_passed();
  return explanation;
}

void Explainer::forget_passed() {
  const auto passed = [&](const Operation& operation) {
    return operation.last_window + kForgottenAfter < window_;
  };
  std::erase_if(by_series_,
                [&](const auto& one) { return one.second != nullptr && passed(*one.second); });
  std::erase_if(operations_, [&](const auto& one) { return passed(one.second); });
}

}  // namespace exa
