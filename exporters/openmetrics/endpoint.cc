#include "exporters/openmetrics/endpoint.h"

#include <utility>
#include <vector>

#include "exporters/openmetrics/negotiation.h"

namespace exa {

Result<std::unique_ptr<OpenMetricsEndpoint>> OpenMetricsEndpoint::start(
    const EndpointSettings& settings, ExportCounters& counters, ReadinessCheck readiness,
    const LogSink& log) {
  std::unique_ptr<OpenMetricsEndpoint> endpoint(
      new OpenMetricsEndpoint(settings.exemplars, counters));
  std::vector<Route> routes{{.path = "/metrics",
                             .what = "OpenMetrics 1.0 with exemplars, or text 0.0.4",
                             .answer = [self = endpoint.get()](const PageRequest& request) {
                               return self->scrape(request);
                             }}};
  for (Route& route : health_routes(std::move(readiness)))
    routes.push_back(std::move(route));
  auto server = PageServer::start(settings.page, std::move(routes), log);
  if (!server) return std::unexpected(server.error());
  endpoint->server_ = std::move(*server);
  return endpoint;
}

void OpenMetricsEndpoint::export_metrics(std::shared_ptr<const MetricBatch> batch) {
  const auto losses = cache_.set(std::move(batch));
  counters_.add(ExportCounter::kExemplarsReplaced, losses.replaced);
  counters_.add(ExportCounter::kExemplarsExpired, losses.expired);
  counters_.add(ExportCounter::kExemplarsSeriesFull, losses.series_full);
  counters_.add(ExportCounter::kExemplarsStoreFull, losses.full);
}

void OpenMetricsEndpoint::shutdown(std::chrono::steady_clock::time_point) {
  server_->stop();
}

PageAnswer OpenMetricsEndpoint::scrape(const PageRequest& request) {
  const ScrapeFormat format = negotiate_format(request.header("Accept"));
  const auto body = cache_.get(format, accepts_gzip(request.header("Accept-Encoding")));
  counters_.add(ExportCounter::kScrapes);
  counters_.add(ExportCounter::kExemplarsOmitted, body->exemplars_omitted);
  PageAnswer answer{
      .headers = {{"Content-Type", content_type(format)}, {"Vary", "Accept, Accept-Encoding"}},
      .body = body->bytes,
      .owner = body};
  if (body->gzipped) answer.headers.emplace_back("Content-Encoding", "gzip");
  return answer;
}

Result<Output> make_openmetrics(const EndpointSettings& settings, ExportCounters& counters,
                                ReadinessCheck readiness, const LogSink& log) {
  auto endpoint = OpenMetricsEndpoint::start(settings, counters, std::move(readiness), log);
  if (!endpoint) return std::unexpected(endpoint.error());
  Output output{.listening_port = (*endpoint)->port()};
  output.exemplar_store = [self = endpoint->get()] { return self->exemplar_store(); };
  output.metrics.push_back(std::move(*endpoint));
  return output;
}

}  // namespace exa
