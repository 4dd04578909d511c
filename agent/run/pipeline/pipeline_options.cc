#include "agent/run/pipeline/pipeline_options.h"

#include <algorithm>
#include <utility>

#include "agent/config/config.h"
#include "agent/outputs/outputs.h"
#include "agent/request_pipeline/request_pipeline.h"
#include "agent/request_pipeline/window_publisher.h"
#include "agent/run/pipeline/window_publication.h"

namespace exa {
namespace {

constexpr std::uint32_t kFineSeries = 1024;  // 2.5 KiB each

}  // namespace

RequestPipelineOptions pipeline_options(const Config& config, const HashKey& seed) {
  RequestPipelineOptions options;
  options.id_seed = seed;
  options.randomness.presume_random = config.exemplars.presume_random;
  if (!config.exemplars.seed.empty()) options.randomness.fleet_seed = seed;
  options.tracker.propagators = config.propagators;
  options.ports = {config.targets.include.port, config.targets.exclude.port};
  options.series.max_series_per_metric = config.series.per_metric;
  options.series.max_series_per_service = config.series.per_service;
  options.series.max_program_series_per_metric = config.series.per_metric / 4;
  // Those of all series that a client's metric may have, and as many again.
  options.series.max_names = std::max(options.series.max_names,
                                      2 * config.series.per_metric + config.series.per_metric / 2);
  options.sampler.policies = config.exemplars.policies;
  options.sampler.spans_per_window = config.exemplars.spans_per_window;
  options.sampler.burst_spans = 2 * config.exemplars.spans_per_window;
  options.sampler.least_spans = config.exemplars.least_spans_per_window;
  options.sampler.most_spans = config.exemplars.most_spans_per_window;
  options.sampler.allowed_error_ratio = 1 - config.exemplars.objective;
  options.sampler.floor_probability = config.exemplars.floor;
  options.routes = config.routes;
  options.skip_beside_sdk = config.exemplars.beside_sdk == BesideSdk::kSkip;
  options.exponential = config.metrics.histograms == HistogramForm::kExponential;
  options.service_graph = config.metrics.service_graph;
  options.body_sizes = config.metrics.body_size;
  options.active_requests = config.metrics.active_requests;
  options.time_spent = config.metrics.time_spent && config.exemplars.why;
  if (prints_table(config)) options.fine_series = kFineSeries;
  return options;
}

PublisherOptions publisher_options(const Config& config, std::shared_ptr<const Resource> agent) {
  return {.ack_deadline = acknowledgement_deadline(config.window),
          .span_metrics = config.metrics.span_metrics,
          .service_graph = config.metrics.service_graph,
          .agent = std::move(agent)};
}

}  // namespace exa
