#include "agent/exemplars/selection.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "agent/semantics/semantics.h"

namespace exa {

// A slot that competes for the budget. Levels are served in their order; within one, by what the
// design calls most telling first, and at last by R, which no order of arrival can change.
struct Selector::Contender {
  enum Level : std::uint8_t { kSlowest, kError, kBucket, kPassing };
  Level level;
  bool is_error;
  std::uint8_t bucket;
  SeriesIndex series;
  std::uint32_t unserved_windows;
  double movement;
  const StratumSlot* slot;

  // In level 0 age and movement decide, in level 1 age and bucket, in the others the bucket.
  [[nodiscard]] auto order() const {
    const auto age = level >= kBucket ? 0 : unserved_windows;
    const auto moved = level == kSlowest ? movement : 0;
    const auto top_down = level == kSlowest ? 0 : kMaxBuckets - bucket;
    return std::tuple(level, ~age, -moved, top_down, ~slot->rank.randomness, slot->rank.span,
                      series);
  }
};

// Collects distinct exchanges.
class Selector::Chooser {
 public:
  explicit Chooser(Selection& selection) : selection_(selection) {}

  [[nodiscard]] std::optional<std::uint32_t> find(std::uint64_t span) const {
    const auto known = by_span_.find(span);
    if (known == by_span_.end()) return std::nullopt;
    return known->second;
  }
  std::uint32_t add(const Exchange& exchange, RecordTicket ticket) {
    const auto index = static_cast<std::uint32_t>(selection_.exchanges.size());
    selection_.exchanges.push_back({.exchange = exchange, .ticket = ticket});
    by_span_.emplace(std::bit_cast<std::uint64_t>(exchange.span_id.bytes), index);
    return index;
  }

 private:
  Selection& selection_;
  std::unordered_map<std::uint64_t, std::uint32_t> by_span_;
};

namespace {

// The status is part of a series' key, so a ratio of errors only means something over all series of
// a metric of a target.
struct ErrorRatios {
  std::vector<double> of_active;  // of the target and metric of each series that counted
  double worst = 0;               // of services, with requests and errors enough to have one
};

// One error of a few requests is no failing service, nor are a few of any number in one window.
constexpr std::uint64_t kFewestRequests = 20;
constexpr std::uint64_t kFewestErrors = 5;

// A service fails by what it answers. What a client was answered is another one's doing, or its
// own: who polls for what is not there yet gets errors all day.
bool tells_of_service(const MetricRow& row) {
  return row.counts_requests && row.end == Role::kServer;
}

ErrorRatios error_ratios(const SeriesRegistry& registry, const CandidateStore& store) {
  struct Totals {
    std::uint64_t errors = 0;
    std::uint64_t requests = 0;
  };
  const auto group = [&](SeriesIndex index) {
    const auto& key = registry.at(index).key;
    return std::uint64_t{key.target} << 8 | static_cast<std::uint64_t>(key.kind);
  };
  std::unordered_map<std::uint64_t, Totals> totals;
  for (const auto index : registry.active()) {
    auto& total = totals[group(index)];
    total.errors += store.strata_of(index).errors;
    total.requests += registry.at(index).delta.count();
  }
  ErrorRatios ratios;
  for (const auto index : registry.active()) {
    const auto& total = totals[group(index)];
    const auto ratio = static_cast<double>(total.errors) / static_cast<double>(total.requests);
    ratios.of_active.push_back(ratio);
    if (total.requests >= kFewestRequests && total.errors >= kFewestErrors &&
        tells_of_service(row_of(registry.at(index).key.kind)))
      ratios.worst = std::max(ratios.worst, ratio);
  }
  return ratios;
}

double p99_of(const Series& series) {
  return quantile(series.delta, row_of(series.key.kind).bounds(), 0.99);
}

}  // namespace

std::vector<Selector::Contender> Selector::ranked_contenders(
    const SeriesRegistry& registry, const CandidateStore& store,
    std::span<const double> error_ratios) const {
  std::vector<Contender> contenders;
  for (std::size_t i = 0; i < registry.active().size(); ++i) {
    const auto index = registry.active()[i];
    const auto& series = registry.at(index);
    const auto& strata = store.strata_of(index);
    const auto& watch = watches_[index];
    // A newcomer of one request may be a process that came and went. On a host full of such ones
    // they would leave nothing for the series that stay; one that comes again is put first by age.
    const bool passing = !watch.has_history() && series.delta.count() == 1;
    Contender contender{.level = passing ? Contender::kPassing : Contender::kSlowest,
                        .is_error = false,
                        .bucket = 0,
                        .series = index,
                        .unserved_windows = watch.unserved_windows(),
                        .movement = watch.movement(p99_of(series), error_ratios[i]),
                        .slot = &strata.slowest.slot};
    if (!strata.slowest.slot.empty()) {
      contender.bucket = row_of(series.key.kind).bounds().bucket(strata.slowest.value_ns);
      contenders.push_back(contender);
    }
    if (passing) continue;
    for (const bool is_error : {true, false}) {
      for (std::uint8_t bucket = 0; bucket < kMaxBuckets; ++bucket) {
        const auto& slot = strata.slots[is_error][bucket];
        if (slot.empty()) continue;
        contender.level = is_error ? Contender::kError : Contender::kBucket;
        contender.is_error = is_error;
        contender.bucket = bucket;
        contender.slot = &slot;
        contenders.push_back(contender);
      }
    }
  }
  std::ranges::sort(contenders, {}, &Contender::order);
  return contenders;
}

void Selector::refill_budget(double worst_error_ratio) {
  const auto pressure = std::exchange(pressure_, {});
  budget_.spans.refill(
      budget_.reactive.next(pressure, worst_error_ratio / budget_.allowed_error_ratio));
  if (budget_.reactive.lowered()) counters_.add(Counter::kBudgetLowered);
  if (budget_.reactive.raised()) counters_.add(Counter::kBudgetRaised);
  if (pressure.backend) counters_.add(Counter::kPressureOfBackend);
  if (pressure.agent) counters_.add(Counter::kPressureOfAgent);
}

Selection Selector::choose(const SeriesRegistry& registry, const CandidateStore& store,
                           const FloorQueue& floor, const FlightRecorder& recorder) {
  watches_.cover(registry.index_bound());
  Selection selection;
  Chooser chooser(selection);
  const auto ratios = error_ratios(registry, store);
  refill_budget(ratios.worst);
  std::vector<bool> served(registry.index_bound());

  for (const auto& contender : ranked_contenders(registry, store, ratios.of_active)) {
    const auto& slot = *contender.slot;
    auto chosen = chooser.find(slot.rank.span);
    if (!chosen) {
      const auto exchange = store.load(slot, recorder);
      if (!exchange) {
        counters_.add(Counter::kCandidatesOverwritten);
        continue;
      }
      if (!budget_.spans.take()) {
        counters_.add(Counter::kCandidatesOverBudget);
        continue;
      }
      chosen = chooser.add(*exchange, slot.ticket);
    }
    served[contender.series] = true;
    // The slowest request of a series is often the winner of its bucket too: one exemplar, named
    // by the first reason.
    const auto same = [&](const Winner& winner) {
      return winner.series == contender.series && winner.exchange == *chosen;
    };
    if (std::ranges::any_of(selection.winners, same)) continue;
    static constexpr ExemplarReason kReasons[] = {ExemplarReason::kSlowest, ExemplarReason::kError,
                                                  ExemplarReason::kBucket,
                                                  ExemplarReason::kSlowest};
    selection.winners.push_back({.series = contender.series,
                                 .bucket = contender.bucket,
                                 .is_error = is_error(selection.exchanges[*chosen].exchange),
                                 .reason = kReasons[contender.level],
                                 .weight = slot.count,
                                 .exchange = *chosen});
  }
  add_floor(floor, chooser, selection);

  for (std::size_t i = 0; i < registry.active().size(); ++i) {
    const auto index = registry.active()[i];
    watches_[index].observe(p99_of(registry.at(index)), ratios.of_active[i], served[index]);
  }
  return selection;
}

void Selector::add_floor(const FloorQueue& floor, Chooser& chooser, Selection& selection) {
  auto entries = floor.entries();
  std::ranges::sort(entries, [](const auto& a, const auto& b) { return a.rank.beats(b.rank); });
  for (const auto& entry : entries) {
    auto chosen = chooser.find(entry.rank.span);
    if (!chosen) chosen = chooser.add(floor.load(entry), entry.ticket);
    selection.exchanges[*chosen].in_floor = true;
  }
  selection.floor_threshold = floor.exact_threshold();
}

}  // namespace exa
