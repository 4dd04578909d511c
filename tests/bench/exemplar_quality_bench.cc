// How well the exemplars explain the histograms: the table of the design against what others do,
// from seeded simulations. Exits 1 if a target is missed.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "agent/request_pipeline/request_pipeline.h"
#include "agent/request_pipeline/window_publisher.h"
#include "exemplar_baselines.h"
#include "exemplar_statistics.h"
#include "exemplar_traffic.h"

namespace exa::bench {
namespace {

bool all_met = true;

void row(const char* what, const std::string& figure, const char* target, bool met) {
  std::printf("%-58s %14s  %-22s %s\n", what, figure.c_str(), target, met ? "ok" : "MISSED");
  all_met = all_met && met;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

// ---- against the baselines ---------------------------------------------------------------------

struct Recall {
  double found = 0;
  double all = 0;
  void count(bool hit) {
    found += hit;
    all += 1;
  }
  [[nodiscard]] double share() const { return all == 0 ? 1 : found / all; }
};

struct Quality {
  Recall buckets, p99, p999, slowest, errors;
  double exemplars = 0;

  void judge(const Requests& series, const Requests& chosen) {
    exemplars += static_cast<double>(chosen.size());
    std::set<int> occupied;
    std::set<int> explained;
    for (const auto& request : series)
      occupied.insert(bucket_of(request));
    for (const auto& request : chosen)
      explained.insert(bucket_of(request));
    for (const int bucket : occupied)
      buckets.count(explained.contains(bucket));

    std::vector<std::uint64_t> values;
    for (const auto& request : series)
      values.push_back(request.value_ns);
    std::ranges::sort(values);
    const auto has = [&](std::uint64_t least) {
      return std::ranges::any_of(chosen, [&](const auto& r) { return r.value_ns >= least; });
    };
    const auto at = [&](double q) {
      return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
    };
    p99.count(has(at(0.99)));
    p999.count(has(at(0.999)));
    slowest.count(has(values.back()));
    const auto is_error = [](const Request& request) { return request.is_error; };
    if (std::ranges::any_of(series, is_error)) errors.count(std::ranges::any_of(chosen, is_error));
  }
};

std::map<TargetId, Requests> by_series(const std::vector<Request>& window) {
  std::map<TargetId, Requests> series;
  for (const auto& request : window)
    series[request.series].push_back(request);
  return series;
}

Requests chosen_of(const Selection& selection, const Requests& series) {
  std::set<std::uint64_t> spans;
  for (const auto& winner : selection.winners)
    spans.insert(span_of(selection.exchanges[winner.exchange].exchange));
  Requests chosen;
  for (const auto& request : series)
    if (spans.contains(request.span)) chosen.push_back(request);
  return chosen;
}

void compare_with_baselines() {
  constexpr int kWindows = 300;
  constexpr std::size_t kRequests = 6'000;
  using Baseline = std::function<Requests(const Requests&, std::mt19937_64&)>;
  const std::vector<std::pair<const char*, Baseline>> baselines = {
      {"fixed reservoir of 20", fixed_reservoir},  {"last seen per bucket", last_seen_per_bucket},
      {"uniform per bucket", uniform_per_bucket},  {"first 5", first_five},
      {"10 % head, then last seen", head_sampled},
  };
  std::mt19937_64 random(20240501);
  std::vector<Quality> theirs(baselines.size());
  Quality ours;
  Agent agent({.floor_probability = 0});
  for (int i = 0; i < kWindows; ++i) {
    const auto window = window_of(random, kRequests, 1);
    const auto selection = agent.run(window);
    for (const auto& [id, series] : by_series(window)) {
      ours.judge(series, chosen_of(selection, series));
      for (std::size_t b = 0; b < baselines.size(); ++b)
        theirs[b].judge(series, baselines[b].second(series, random));
    }
  }
  std::printf("%d windows of %zu requests, 0.2 %% tail, 0.3 %% errors\n", kWindows, kRequests);
  std::printf("%-28s %9s %9s %9s %9s %9s %11s\n", "", "coverage", "p99", "p99.9", "slowest",
              "errors", "per window");
  const auto print = [](const char* name, const Quality& q) {
    std::printf("%-28s %9.2f %9.2f %9.2f %9.2f %9.2f %11.1f\n", name, q.buckets.share(),
                q.p99.share(), q.p999.share(), q.slowest.share(), q.errors.share(),
                q.exemplars / kWindows);
  };
  for (std::size_t b = 0; b < baselines.size(); ++b)
    print(baselines[b].first, theirs[b]);
  print("coordinated (ours)", ours);
  std::printf("\n");
  row("bucket coverage", number(ours.buckets.share()), ">= 0.99", ours.buckets.share() >= 0.99);
  row("tail recall at p99", number(ours.p99.share()), ">= 0.99", ours.p99.share() >= 0.99);
  row("tail recall at p99.9", number(ours.p999.share()), ">= 0.99", ours.p999.share() >= 0.99);
  row("slowest recall", number(ours.slowest.share()), "1.0", ours.slowest.share() == 1);
  row("error recall", number(ours.errors.share()), ">= 0.99", ours.errors.share() >= 0.99);
}

// ---- uniformity --------------------------------------------------------------------------------

void check_uniformity() {
  constexpr int kWindows = 10'000;
  constexpr std::size_t kRequests = 100;  // all in one bucket
  constexpr std::size_t kBins = 20;
  std::mt19937_64 random(7);
  std::vector<double> ranks(kBins);
  std::vector<double> positions;
  Agent agent({.floor_probability = 0});
  std::uniform_real_distribution<double> jitter(-0.5, 0.5);
  for (int i = 0; i < kWindows; ++i) {
    auto window = window_of(random, kRequests, 1, {.spread = 0, .tail_share = 0, .error_share = 0});
    const auto selection = agent.run(window);
    for (const auto& winner : selection.winners) {
      // All values are equal, so the slowest is the largest R too: the stratum's winner.
      const auto span = span_of(selection.exchanges[winner.exchange].exchange);
      const auto at = std::ranges::find(window, span, &Request::span) - window.begin();
      ranks[static_cast<std::size_t>(at) * kBins / kRequests] += 1;
      positions.push_back((static_cast<double>(at) + 0.5 + jitter(random)) / kRequests);
    }
  }
  const double chi = chi_square_p(ranks);
  const double ks = kolmogorov_smirnov_p(positions);
  const double centre = mean(positions);
  row("uniformity in a bucket: chi-square of the rank, p", number(chi), "> 0.01", chi > 0.01);
  row("uniformity in a bucket: KS of the time, p", number(ks), "> 0.01", ks > 0.01);
  row("uniformity in a bucket: mean position", number(centre), "0.5 +- 0.01",
      std::abs(centre - 0.5) <= 0.01);
}

// ---- budget and staleness ----------------------------------------------------------------------

void check_budget_step() {
  constexpr std::uint32_t kBudget = 100;
  constexpr std::uint32_t kBurst = 200;
  std::mt19937_64 random(11);
  Agent agent({.spans_per_window = kBudget, .burst_spans = kBurst, .floor_probability = 0});
  std::size_t most = 0;
  std::size_t most_settled = 0;
  for (int window = 0; window < 40; ++window) {
    const bool after = window >= 20;
    const auto spans =
        agent.run(window_of(random, after ? 60'000 : 600, after ? 400 : 4)).exchanges.size();
    most = std::max(most, spans);
    if (window >= 22) most_settled = std::max(most_settled, spans);
  }
  row("budget 100, burst 200, step 1x -> 100x: most in a window", std::to_string(most), "<= 300",
      most <= kBudget + kBurst);
  row("  two windows after the step", std::to_string(most_settled), "<= 100",
      most_settled <= kBudget);
}

void check_staleness() {
  constexpr std::uint32_t kSeries = 150;  // half as many again as the budget
  constexpr int kWindows = 100;
  std::mt19937_64 random(13);
  Agent agent({.spans_per_window = 100, .burst_spans = 200, .floor_probability = 0});
  std::map<TargetId, int> newest;
  std::vector<double> ages;
  for (int window = 0; window < kWindows; ++window) {
    const auto selection = agent.run(window_of(random, 30'000, kSeries));
    for (const auto& winner : selection.winners)
      newest[selection.exchanges[winner.exchange].exchange.target] = window;
    for (TargetId series = 1; window >= 5 && series <= kSeries; ++series)
      ages.push_back(window - (newest.contains(series) ? newest[series] : -1));
  }
  const double p99 = quantile(ages, 0.99);
  row("staleness, 150 series on a budget of 100: p99 windows", number(p99), "<= 2", p99 <= 2);
}

// ---- invariance --------------------------------------------------------------------------------

using Choice = std::set<std::pair<std::uint32_t, std::uint64_t>>;

std::map<TargetId, SeriesStrata> strata_of(auto first, auto last) {
  std::map<TargetId, SeriesStrata> strata;
  for (; first != last; ++first) {
    const StratumSlot slot{.rank = {first->randomness, first->span}, .count = 1};
    SeriesStrata one;
    one.slots[first->is_error][bucket_of(*first)] = slot;
    one.slowest = {.value_ns = first->value_ns, .slot = slot};
    strata[first->series].merge(one);
  }
  return strata;
}

Choice choice_of(const std::map<TargetId, SeriesStrata>& strata) {
  Choice choice;
  for (const auto& [series, its] : strata) {
    for (const auto& by_error : its.slots)
      for (const auto& slot : by_error)
        if (!slot.empty()) choice.emplace(series, slot.rank.span);
    choice.emplace(series, its.slowest.slot.rank.span);
  }
  return choice;
}

void check_invariance() {
  bool shards = true;
  bool splits = true;
  bool permutations = true;
  std::mt19937_64 random(17);
  for (int i = 0; i < 20; ++i) {
    auto window = window_of(random, 5'000, 5, {.error_share = 0.05});
    const auto whole = choice_of(strata_of(window.begin(), window.end()));
    for (const std::size_t count : {2, 5, 16}) {
      std::vector<Requests> parts(count);
      for (std::size_t r = 0; r < window.size(); ++r)
        parts[r % count].push_back(window[r]);
      std::map<TargetId, SeriesStrata> together;
      for (const auto& part : parts)
        for (const auto& [series, its] : strata_of(part.begin(), part.end()))
          together[series].merge(its);
      shards = shards && choice_of(together) == whole;
    }
    const auto cut = window.begin() + static_cast<std::ptrdiff_t>(random() % window.size());
    auto first = strata_of(window.begin(), cut);
    for (const auto& [series, its] : strata_of(cut, window.end()))
      first[series].merge(its);
    splits = splits && choice_of(first) == whole;

    // The whole sampler, short of budget, with its floor: its choice must not know the order.
    const SamplerOptions short_of_budget{
        .spans_per_window = 40, .burst_spans = 40, .floor_capacity = 8};
    const auto spans_of = [&](const Requests& requests) {
      std::set<std::uint64_t> spans;
      for (const auto& chosen : Agent(short_of_budget).run(requests).exchanges)
        spans.insert(span_of(chosen.exchange));
      return spans;
    };
    const auto before = spans_of(window);
    std::ranges::shuffle(window, random);
    permutations = permutations && spans_of(window) == before;
  }
  row("shard invariance", shards ? "identical" : "differs", "identical", shards);
  row("window-split invariance", splits ? "identical" : "differs", "identical", splits);
  row("permutation invariance, whole sampler on a short budget",
      permutations ? "identical" : "differs", "identical", permutations);
}

// ---- four nodes --------------------------------------------------------------------------------

// Each trace passes four nodes, each of which calls the next: a caller takes as long as its callee
// and something of its own, and passes errors on. An exemplar's trace is whole if every node
// exported its span. Independent choice: R differs from node to node, and no floor.
double whole_trace_share(bool coordinated) {
  constexpr int kNodes = 4;
  constexpr int kWindows = 40;
  std::mt19937_64 random(19);
  std::vector<std::unique_ptr<Agent>> nodes;
  for (int n = 0; n < kNodes; ++n)
    nodes.push_back(
        std::make_unique<Agent>(SamplerOptions{.floor_probability = coordinated ? 0.005 : 0.0}));
  Recall whole;
  for (int w = 0; w < kWindows; ++w) {
    const auto traces = window_of(random, 6'000, 1);
    std::vector<std::set<std::uint64_t>> exported(kNodes);
    std::set<std::uint64_t> exemplars;
    auto seen = traces;
    for (int n = 0; n < kNodes; ++n) {
      const auto own_work = window_of(random, traces.size(), 1, {.median_s = 0.003});
      for (std::size_t i = 0; i < traces.size(); ++i) {
        seen[i].value_ns += own_work[i].value_ns;
        if (!coordinated) seen[i].randomness = own_work[i].randomness;
      }
      const auto selection = nodes[static_cast<std::size_t>(n)]->run(seen);
      for (const auto& chosen : selection.exchanges)
        exported[static_cast<std::size_t>(n)].insert(span_of(chosen.exchange));
      for (const auto& winner : selection.winners)
        exemplars.insert(span_of(selection.exchanges[winner.exchange].exchange));
    }
    for (const auto trace : exemplars)
      whole.count(std::ranges::all_of(exported, [&](const auto& e) { return e.contains(trace); }));
  }
  return whole.share();
}

void check_whole_traces() {
  const double independent = whole_trace_share(false);
  const double ours = whole_trace_share(true);
  row("exemplar traces whole over 4 nodes, independent choice", number(independent), "", true);
  row("exemplar traces whole over 4 nodes, coordinated", number(ours), ">= 0.45 and tenfold",
      ours >= 0.45 && ours >= 10 * independent);
}

// ---- referential integrity ---------------------------------------------------------------------

class Sink final : public SpanExporter, public MetricExporter {
 public:
  SpanDelivery export_spans(std::vector<Span> batch,
                            std::chrono::steady_clock::time_point) override {
    static constexpr SpanDelivery kFates[] = {SpanDelivery::kAcknowledged, SpanDelivery::kRefused,
                                              SpanDelivery::kAcknowledged, SpanDelivery::kPending,
                                              SpanDelivery::kDropped};
    const auto fate = kFates[batches_++ % std::size(kFates)];
    if (fate == SpanDelivery::kAcknowledged)
      for (const auto& span : batch)
        stored_.emplace(span.trace_id, span.span_id);
    return fate;
  }
  void export_metrics(std::shared_ptr<const MetricBatch> batch) override {
    for (const auto& resource : batch->resources)
      for (const auto& metric : resource.metrics)
        for (const auto& point : std::get<Histogram>(metric.points).points)
          for (const auto& exemplar : point.exemplars)
            if (exemplar.has_ids())
              integrity.count(stored_.contains({exemplar.trace_id, exemplar.span_id}));
  }
  void shutdown(std::chrono::steady_clock::time_point) override {}
  Recall integrity;

 private:
  std::set<std::pair<TraceId, SpanId>> stored_;
  std::size_t batches_ = 0;
};

void check_integrity() {
  Counters counters;
  RequestPipeline pipeline({.id_seed = {1}}, counters);
  Sink sink;
  WindowPublisher publisher({}, counters, {&sink}, {&sink});
  std::mt19937_64 random(23);
  MonotonicTime now{1'000'000'000'000};
  pipeline.begin(now);
  pipeline.on_target({.process = {.tgid = 1, .start_time_ns = 1},
                      .observed = true,
                      .service_name = "simulated",
                      .resource = std::make_shared<const Resource>()});
  std::uint32_t sequence = 1;
  for (int window = 0; window < 30; ++window) {
    for (const auto& request : window_of(random, 2'000, 1)) {
      auto exchange = exchange_of(request);
      exchange.tgid = 1;
      exchange.local.port = 80;  // with a place on the wire, from which its ids are made
      exchange.span_id = {};
      exchange.request_sequence = exchange.number = ++sequence;
      exchange.read = now;
      exchange.last_response = now + Duration(static_cast<std::int64_t>(request.value_ns));
      pipeline.on_exchange(exchange);
    }
    now = now + std::chrono::seconds(10);
    publisher.publish(pipeline.close_window(now));
  }
  const bool met = sink.integrity.share() == 1 && sink.integrity.all > 100;
  row("referential integrity, 3 of 5 batches lost", number(sink.integrity.share()), "1.0", met);
}

}  // namespace
}  // namespace exa::bench

int main() {
  using namespace exa::bench;
  compare_with_baselines();
  check_integrity();
  check_uniformity();
  check_budget_step();
  check_staleness();
  check_invariance();
  check_whole_traces();
  std::printf("\n%s\n", all_met ? "All targets are met." : "A target is missed.");
  return all_met ? 0 : 1;
}
