#include "agent/exemplars/exemplar_sampler.h"

namespace exa {
namespace {

BudgetLimits limits_of(const SamplerOptions& options) {
  return {
      .usual = options.spans_per_window, .least = options.least_spans, .most = options.most_spans};
}

}  // namespace

ExemplarSampler::ExemplarSampler(const SamplerOptions& options, Counters& counters)
    : counters_(counters),
      floor_(options.floor_probability, options.floor_capacity),
      policies_(options.policies),
      store_(options.kept_records),
      selector_({.spans = SpanBudget(options.spans_per_window, options.burst_spans),
                 .reactive = ReactiveBudget(limits_of(options)),
                 .allowed_error_ratio = options.allowed_error_ratio},
                counters) {}

void ExemplarSampler::push_floor(const Exchange& exchange, RecordTicket ticket) {
  if (!floor_.push(exchange, ticket)) counters_.add(Counter::kFloorOverflow);
}

Selection ExemplarSampler::close_window(const SeriesRegistry& registry,
                                        const FlightRecorder& recorder) {
  store_.cover(registry.index_bound());
  auto selection = selector_.choose(registry, store_, floor_, recorder);
  store_.clear(registry.active());
  floor_.clear();
  policies_.begin_window();
  return selection;
}

void ExemplarSampler::forget(SeriesIndex series) {
  policies_.forget(series);
  selector_.forget(series);
}

}  // namespace exa
