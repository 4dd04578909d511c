#include "agent/request_pipeline/request_pipeline.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>
#include <variant>

#include "agent/capture/event_decoder.h"
#include "agent/conversation/registry.h"
#include "agent/semantics/semantics.h"
#include "exa/base/overloaded.h"

namespace exa {
namespace {

constexpr Duration kSweepInterval = std::chrono::milliseconds(500);

bool asks_for(const RequestPipelineOptions& options, MetricGroup group) {
  switch (group) {
    case MetricGroup::kAlways:
      return true;
    case MetricGroup::kBodySize:
      return options.body_sizes;
    case MetricGroup::kActiveRequests:
      return options.active_requests;
  }
  return false;
}

std::vector<const MetricRow*> recorded_metrics(const RequestPipelineOptions& options,
                                               MetricShape shape) {
  std::vector<const MetricRow*> recorded;
  for (const auto& row : metric_rows())
    if (row.shape == shape && asks_for(options, row.group)) recorded.push_back(&row);
  return recorded;
}

bool is_measured(const MetricRow& row, const Exchange& exchange) {
  const auto end = exchange.role == Role::kClient ? Role::kClient : Role::kServer;
  return row.end == end && semantics_of(exchange.operation.convention).has(row.kind);
}

}  // namespace

RequestPipeline::RequestPipeline(const RequestPipelineOptions& options, Counters& counters)
    : counters_(counters),
      options_(options),
      ids_(options.id_seed),
      targets_(options.max_targets, counters),
      tracker_(*this, counters, protocols(), options.tracker, &targets_, &ids_),
      programs_(options.max_programs),
      held_(std::max<std::size_t>(options.max_held_exchanges, 1)),
      metrics_(recorded_metrics(options, MetricShape::kHistogram)),
      open_metrics_(recorded_metrics(options, MetricShape::kUpDownCounter)),
      registry_(options.series, counters),
      fine_(options.fine_series, counters),
      accounts_(options.time_spent),
      exponential_(options.exponential),
      recorder_(options.recorder_records),
      graph_ends_(options.service_graph),
      routes_(options.routes),
      sampler_(options.sampler, counters),
      relatives_(options.relatives, counters),
      deliveries_(counters) {}

void RequestPipeline::begin(MonotonicTime time) {
  advance(time);
}

void RequestPipeline::advance(MonotonicTime now) {
  if (!window_start_.known()) window_start_ = began_ = now;
  now_ = std::max(now_, now);
  while (!held_.empty() && held_.front_until() <= now_)
    let_go(held_.front_target());
  if (now_ < next_sweep_) return;
  next_sweep_ = now_ + kSweepInterval;
  tracker_.sweep(now_);
}

void RequestPipeline::on_record(std::span<const std::byte> record) {
  counters_.add(Counter::kRecordsConsumed);
  const auto event = decode_event(record);
  if (!event) {
    counters_.add(Counter::kRecordsMalformed);
    return;
  }
  advance(std::visit([](const auto& e) { return e.time; }, *event));
  std::visit(Overloaded{
                 [this](const ProcessEvent& process) { targets_.on_process(process); },
                 [&](const ProcessExitEvent& exit) {
                   tracker_.on_event(*event);
                   targets_.on_process_exit(exit.tgid, exit.time);
                 },
                 [this](const AnswerEvent& answer) { deliveries_.note(answer); },
                 [&](const auto& /*of a connection*/) { tracker_.on_event(*event); },
             },
             *event);
}

void RequestPipeline::on_target(const Target& target) {
  const auto answer = targets_.on_target(target);
  if (answer.asked == kNoTarget || held_.empty()) return;
  // Of somebody whose rules are decided there is nothing unjudged, with or without a place.
  const bool observed = target.observed || answer.id != kNoTarget;
  held_.take_all_of(answer.asked, [&](const Exchange& exchange) {
    targets_.note_held(answer.asked, -1);
    if (observed)
      record(answer.id, exchange);
    else
      counters_.add(target.undecided ? Counter::kExchangesUnjudged : Counter::kExchangesExcluded);
  });
}

void RequestPipeline::on_exchange(const Exchange& exchange) {
  if (!options_.ports.admit(exchange)) {
    counters_.add(Counter::kExchangesPort);
    return;
  }
  const auto began = exchange.read.known() ? exchange.read : now_;
  const auto id = targets_.id_of(exchange.tgid, began);
  if (!targets_.awaits_answer(id)) {
    record(id, exchange);
    return;
  }
  // Each may hold as many as are free; who holds none is not to wait for those who hold many.
  if (const auto held = targets_.at(id).held; held_.full() || held >= held_.free()) {
    counters_.add(held_.full() ? Counter::kHeldOverflow : Counter::kHeldOverShare);
    let_go(held > 0 ? id : held_.front_target());
  }
  counters_.add(Counter::kTargetsHeld);
  targets_.note_held(id, 1);
  held_.push(id, exchange,
             now_ + (targets_.observes_unjudged() ? options_.hold : options_.hold_for_verdict));
}

// Waited in vain: nobody has judged its process. Where no rule excludes anybody it counts under the
// name that the kernel told; otherwise it may be one of those that are to stay unseen.
void RequestPipeline::let_go(TargetId asked) {
  if (!targets_.observes_unjudged()) {
    targets_.note_held(asked, -1);
    held_.pop_first_of(asked);
    counters_.add(Counter::kExchangesUnjudged);
    return;
  }
  const auto id = targets_.resolve_provisionally(asked);
  held_.take_all_of(asked, [&](const Exchange& exchange) {
    targets_.note_held(asked, -1);
    record(id, exchange);
  });
}

void RequestPipeline::release_held() {
  while (!held_.empty())
    let_go(held_.front_target());
}

void RequestPipeline::record(TargetId id, Exchange exchange) {
  const auto& entry = targets_.at(id);
  if (!entry.target->observed) {
    counters_.add(entry.target->undecided ? Counter::kExchangesUnjudged
                                          : Counter::kExchangesExcluded);
    return;
  }
  if (!exchange.read.known() || !exchange.last_response.known()) {
    counters_.add(Counter::kExchangesUnmeasured);
    return;
  }
  if (!routes_.empty() && !routes_.admit(entry.target->service_name, exchange)) {
    counters_.add(Counter::kExchangesIgnored);
    return;
  }
  targets_.note_spans(id, exchange);
  const auto counted = counted_as(id, exchange);
  if (counted != id) counters_.add(Counter::kExchangesPassing);
  exchange.target = counted.value_or(id);
  ids_.name(exchange);
  exchange.randomness = randomness_of(exchange, options_.randomness).value;
  const auto ticket = recorder_.push(exchange);
  sampler_.on_request(exchange, ticket);
  counters_.add(Counter::kExchangesRecorded);
  if (entry.target->provisional) counters_.add(Counter::kTargetsLate);
  for (const auto* const recorded : metrics_) {
    const auto& row = *recorded;
    if (!is_measured(row, exchange)) continue;
    const auto value = row.value(exchange);
    if (value == kUnmeasured) {
      if (row.unknown) counters_.add(*row.unknown);
      continue;
    }
    const auto [series, bucket] = add(row, exchange, id, counted.has_value(), value);
    exponential_.add(series, row.bounds().in_units(value));
    if (row.counts_requests) {
      fine_.add(series, value, exchange);
      accounts_.add(series, bucket, exchange);
      if (!graph_ends_.add(exchange, bucket, value, is_error(exchange)))
        counters_.add(Counter::kGraphLeftOut);
    }
    sampler_.on_value({.series = series,
                       .bucket = bucket,
                       .is_error = is_error(exchange),
                       .is_duration = row.is_time,
                       .counts_requests = row.counts_requests,
                       .value = value,
                       .service = entry.target->service_name,
                       .exchange = exchange},
                      ticket);
  }
}

// Whose series it counts in: those of its process, or while that is young, of its program, unless
// there is no place for it.
std::optional<TargetId> RequestPipeline::counted_as(TargetId process, const Exchange& exchange) {
  if (!is_young(targets_.at(process).process, exchange)) {
    targets_.mark_counted(process);
    return process;
  }
  const auto program = program_of(process);
  return program == kNoTarget ? std::nullopt : std::optional(program);
}

// Nothing shows yet that it stays: its requests are instances' of its program, which keeps probes
// that exec curl, cron jobs and fork storms from making a series each. By when the request began,
// not ended: a download that takes long makes nobody a service.
bool RequestPipeline::is_young(const ProcessIdentity& process, const Exchange& exchange) const {
  if (process.start_time_ns == 0) return process.tgid != 0;  // nobody announced it
  const auto born = targets_.born(process);
  if (born < began_ || exchange.read < born) return false;
  return elapsed(born, exchange.read) <
         (exchange.role == Role::kServer ? options_.youth_of_servers : options_.youth_of_clients);
}

TargetId RequestPipeline::program_of(TargetId process) {
  const auto& entry = targets_.at(process);
  if (entry.program != kNoTarget && programs_.knows(entry.program)) return entry.program;
  const auto program = programs_.id_of(*entry.target, entry.origin);
  targets_.note_program(process, program);
  return program;
}

SeriesRegistry::Recorded RequestPipeline::add(const MetricRow& row, const Exchange& exchange,
                                              TargetId process, bool has_place,
                                              std::uint64_t value) {
  if (!has_place) {
    counters_.add(Counter::kOverflowNoProgram);
    return registry_.record_overflow(
        overflow_key(exchange.operation.convention, row.kind, kNoTarget), value);
  }
  auto key = registry_.keys().of(exchange, row.kind);
  if (key.overflow) return registry_.record_overflow(key, value);
  // Where the metric is full, a new process is still seen under the name of its program.
  if (!is_program(key.target) && registry_.is_full(key.kind) && !registry_.holds(key)) [[unlikely]]
    if (const auto program = program_of(process); program != kNoTarget) key.target = program;
  return registry_.record(key, targets_.at(process).service, value);
}

// As they stand when the window closes. Whoever nobody has judged yet is left out until then: it
// may be one of those that are to stay unseen.
void RequestPipeline::count_open() {
  if (open_metrics_.empty()) return;
  tracker_.open_exchanges().for_each([&](Exchange exchange) {
    if (!options_.ports.admit(exchange)) return;
    const auto id = targets_.id_of(exchange.tgid, exchange.read);
    if (targets_.awaits_answer(id) || !targets_.at(id).target->observed) return;
    const auto counted = counted_as(id, exchange);
    exchange.target = counted.value_or(id);
    for (const auto* const row : open_metrics_)
      if (is_measured(*row, exchange))
        add(*row, exchange, id, counted.has_value(), row->value(exchange));
  });
}

std::vector<ShareLoss> RequestPipeline::share_losses(std::size_t at_most) const {
  std::vector<ShareLoss> losses;
  for (const auto* process : tracker_.losers()) {
    const auto tgid = static_cast<std::uint32_t>(process->key);
    losses.push_back({.tgid = tgid, .comm = targets_.comm_of(tgid), .lost = process->lost});
  }
  const auto sum = [](const ShareLoss& loss) {
    return std::accumulate(loss.lost.begin(), loss.lost.end(), std::uint64_t{0});
  };
  std::ranges::stable_sort(losses, std::ranges::greater(), sum);
  losses.resize(std::min(losses.size(), at_most));
  return losses;
}

ClosedWindow RequestPipeline::close_window(MonotonicTime end) {
  advance(end);
  ClosedWindow window;
  window.start = offset_.to_wall(window_start_);
  window.end = offset_.to_wall(now_);
  window.offset = offset_;

  auto selection = sampler_.close_window(registry_, recorder_);
  relatives_.add_relatives(selection, recorder_);
  fill_spans(window, selection);
  fill_exemplars(window, selection);
  count_open();
  window.series.reserve(registry_.active().size());
  for (const auto index : registry_.active()) {
    const auto& series = registry_.at(index);
    window.series.push_back({.uid = series.uid,
                             .key = series.key,
                             .delta = series.delta,
                             .fine = fine_.window_of(index),
                             .accounts = accounts_.window_of(index),
                             .exponential = exponential_.window_of(index)});
    if (series.counted_before) continue;
    for (const auto name : {series.key.server.name, series.key.name})
      if (name != kNoName) window.names.try_emplace(name, registry_.keys().names().text(name));
  }
  fine_.begin_window();
  accounts_.begin_window();
  exponential_.begin_window();
  window.graph_ends = graph_ends_.take();
  fill_targets(window);
  for (const auto& expired : registry_.close_window()) {
    window.expired.push_back(expired.uid);
    sampler_.forget(expired.index);
  }
  targets_.close_window(registry_);
  routes_.close_window();
  programs_.close_window(registry_);
  window_start_ = now_;
  deliveries_.begin_window(now_);
  return window;
}

// A program's processes are too young to have sent any.
bool RequestPipeline::sends_spans(TargetId target) const {
  return !is_program(target) && targets_.knows(target) && targets_.at(target).spans.of_sdk();
}

void RequestPipeline::fill_spans(ClosedWindow& window, Selection& selection) {
  window.spans.reserve(selection.exchanges.size());
  for (const auto& chosen : selection.exchanges) {
    const auto& exchange = chosen.exchange;
    WindowSpan span{.exchange = exchange, .purpose = {}};
    span.purpose.delivery = deliveries_.of(exchange);
    span.purpose.beside_sdk = sends_spans(exchange.target);
    span.skipped = span.purpose.beside_sdk && options_.skip_beside_sdk;
    if (chosen.in_floor) {
      span.purpose.reason = ExemplarReason::kFloor;
      // A caller that sampled without publishing a threshold makes the probability unknown.
      const bool sampled_upstream = (exchange.trace_flags & kTraceSampled) != 0;
      if (!sampled_upstream && exchange.randomness >= selection.floor_threshold &&
          randomness_of(exchange, options_.randomness).publishable)
        span.purpose.threshold = selection.floor_threshold;
    }
    window.spans.push_back(span);
  }
  for (const auto& winner : selection.winners) {
    auto& reason = window.spans[winner.exchange].purpose.reason;
    // The one by which the budget served it first.
    if (!reason || winner.reason < *reason) reason = winner.reason;
  }
  ends_.link(window.spans);
}

void RequestPipeline::fill_exemplars(ClosedWindow& window, const Selection& selection) const {
  window.exemplars.reserve(selection.winners.size());
  for (const auto& winner : selection.winners) {
    const auto& series = registry_.at(winner.series);
    const auto& exchange = selection.exchanges[winner.exchange].exchange;
    window.exemplars.push_back({.series = series.uid,
                                .bucket = winner.bucket,
                                .is_error = winner.is_error,
                                .reason = winner.reason,
                                .kind = series.key.kind,
                                .value = row_of(series.key.kind).value(exchange),
                                .weight = winner.weight,
                                .span = winner.exchange});
  }
}

void RequestPipeline::fill_targets(ClosedWindow& window) const {
  const auto add = [&](TargetId id) {
    if (is_program(id) && programs_.knows(id))
      window.targets.try_emplace(id, programs_.target_of(id));
    else if (!is_program(id) && targets_.knows(id))
      window.targets.try_emplace(id, targets_.at(id).target);
  };
  add(kNoTarget);
  for (const auto& series : window.series)
    add(series.key.target);
  for (const auto& span : window.spans)
    add(span.exchange.target);
  for (const auto& end : window.graph_ends)
    add(end.target);
}

}  // namespace exa
