#include "agent/run/reach.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstdlib>
#include <string>

#include "agent/naming/kubernetes/pod_watch_options.h"
#include "exporters/transfer/trust_store.h"
#include "exporters/transfer/url_parts.h"

namespace exa {
namespace {

// To be looked up.
bool is_name(const std::string& host) {
  in6_addr address{};
  const auto bare = host.starts_with('[') ? host.substr(1, host.find_first_of("]%") - 1)
                                          : host;  // [fe80::1%eth0]
  // libcurl knows localhost itself.
  return !bare.empty() && bare != "localhost" && inet_pton(AF_INET, bare.c_str(), &address) != 1 &&
         inet_pton(AF_INET6, bare.c_str(), &address) != 1;
}

void add_server(const std::string& url, PipelineReach& reach) {
  const auto parts = url_parts(url);
  if (!parts) return;  // refused where it is used
  reach.connect_ports.push_back(parts->port);
  reach.resolves_names = reach.resolves_names || is_name(parts->host);
}

void add_files(std::initializer_list<std::string> paths, PipelineReach& reach) {
  for (const auto& path : paths)
    if (!path.empty()) reach.files.push_back(path);
}

void add_pods(const KubernetesSettings& settings, PipelineReach& reach) {
  if (!settings.enabled || getenv("KUBERNETES_SERVICE_HOST") == nullptr) return;
  const auto options = pod_watch_options(settings, getenv);
  if (!options) return;
  add_server(options->endpoint.url, reach);
  add_files({options->endpoint.token_file, options->endpoint.ca_file}, reach);
}

}  // namespace

PipelineReach reach_of(const Config& config) {
  PipelineReach reach{.uid = config.pipeline.uid};
  for (const auto* const signal : {&config.otlp.traces, &config.otlp.metrics, &config.otlp.logs}) {
    if (!signal->active()) continue;
    add_server(signal->endpoint, reach);
    add_files({signal->certificate, signal->client_certificate, signal->client_key}, reach);
  }
  for (const auto& place : trust_store())
    add_files({place}, reach);
  add_pods(config.kubernetes, reach);
  if (config.openmetrics.enabled) {
    reach.listen_port = config.openmetrics.port;
    reach.resolves_names = reach.resolves_names || is_name(config.openmetrics.host);
  }
  return reach;
}

}  // namespace exa
