#include "agent/naming/kubernetes/pod_watch_options.h"

namespace exa {
namespace {

std::string https_url(const std::string& host, const std::string& port) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return "https://" + (is_ipv6 ? "[" + host + "]" : host) + ":" + port;
}

}  // namespace

Result<PodWatchOptions> pod_watch_options(
    const KubernetesSettings& settings, const std::function<const char*(const char*)>& environment,
    const std::string& account_folder) {
  const auto value = [&](const char* name) {
    const char* const text = environment(name);
    return std::string(text != nullptr ? text : "");
  };
  PodWatchOptions options;
  options.source = settings.source;
  options.node_name = value("NODE_NAME");
  if (options.node_name.empty())
    return fail("NODE_NAME is not set: take it from spec.nodeName, as the chart does");
  options.endpoint.token_file = account_folder + "/token";
  options.endpoint.ca_file = account_folder + "/ca.crt";
  if (settings.source == PodSource::kKubelet) {
    const auto address = value("NODE_IP");
    options.endpoint.url = settings.kubelet.url;
    if (options.endpoint.url.empty() && address.empty())
      return fail("NODE_IP is not set: take it from status.hostIP, as the chart does, " +
                  std::string("or set kubernetes.kubelet.url"));
    if (options.endpoint.url.empty()) options.endpoint.url = https_url(address, "10250");
    while (options.endpoint.url.ends_with('/'))
      options.endpoint.url.pop_back();
    if (!settings.kubelet.ca.empty()) options.endpoint.ca_file = settings.kubelet.ca;
    options.endpoint.insecure = settings.kubelet.insecure;
    return options;
  }
  const auto host = value("KUBERNETES_SERVICE_HOST");
  const auto port = value("KUBERNETES_SERVICE_PORT");
  if (host.empty()) return fail("not in a pod: KUBERNETES_SERVICE_HOST is not set");
  options.endpoint.url = https_url(host, port.empty() ? "443" : port);
  return options;
}

}  // namespace exa
