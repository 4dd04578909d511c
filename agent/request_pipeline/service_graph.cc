#include "agent/request_pipeline/service_graph.h"

#include <algorithm>
#include <utility>

#include "agent/metrics/metric_table.h"

namespace exa {
namespace {

// As Tempo calls who is not traced.
constexpr const char* kUser = "user";

// Without its port: a service has one name, wherever it listens.
std::string host_of(const GraphEnd& client) {
  auto host = client.host.view();
  if (client.host.cut() || host.empty()) return address_text(client.remote);
  if (const auto colon = host.rfind(':'); colon != host.npos &&
                                          host.find(']', colon) == host.npos &&
                                          (host.front() == '[' || host.find(':') == colon))
    host = host.substr(0, colon);
  return std::string(host);
}

}  // namespace

ServiceGraph::Edge& ServiceGraph::edge_of(Identity identity, WallTime start) {
  auto known = edges_.find(identity);
  if (known == edges_.end()) {
    if (edges_.size() >= kMostEdges) identity = {};
    known = edges_.try_emplace(std::move(identity)).first;
    if (known->second.last_window == 0)
      known->second.client.start = known->second.server.start = start;
  }
  known->second.last_window = window_;
  return known->second;
}

void ServiceGraph::learn_servers(const ClosedWindow& window) {
  for (const auto& end : window.graph_ends) {
    if (end.role != Role::kServer) continue;
    const auto known = servers_.find(end.local);
    if (known != servers_.end())
      known->second = service_of(window, end.target);
    else if (servers_.size() < kMostServers)
      servers_.emplace(end.local, service_of(window, end.target));
  }
}

void ServiceGraph::add(const ClosedWindow& window) {
  ++window_;
  learn_servers(window);
  // Whoever translates addresses does so with the server's: a client's own is the same at both
  // ends.
  std::map<IpEndpoint, const GraphEnd*> servers;
  std::map<IpEndpoint, const GraphEnd*> clients;
  for (const auto& end : window.graph_ends) {
    if (end.role == Role::kServer)
      servers.emplace(end.remote, &end);
    else
      clients.emplace(end.local, &end);
  }
  for (const auto& end : window.graph_ends) {
    if (end.role == Role::kClient) {
      const auto server = servers.find(end.local);
      auto& edge =
          edge_of(identity_of(end, server == servers.end() ? nullptr : server->second, window),
                  window.start);
      edge.client.add(end.durations);
      edge.failed += end.failed;
      continue;
    }
    const auto client = clients.find(end.remote);
    const bool known = client != clients.end();
    if (!known && end.has_context) continue;  // whoever asks is traced, and tells it where it is
    auto& edge = edge_of(known ? identity_of(*client->second, &end, window)
                               : Identity{kUser, service_of(window, end.target), true},
                         window.start);
    edge.server.add(end.durations);
    if (!known) edge.failed += end.failed;
  }
  forget_passed();
}

ServiceGraph::Identity ServiceGraph::identity_of(const GraphEnd& client, const GraphEnd* server,
                                                 const ClosedWindow& window) const {
  std::string service;
  if (server != nullptr)
    service = service_of(window, server->target);
  else if (const auto known = servers_.find(client.remote); known != servers_.end())
    service = known->second;
  const bool observed = !service.empty();
  return {service_of(window, client.target), observed ? service : host_of(client), !observed};
}

void ServiceGraph::forget_passed() {
  if (window_ % kForgottenAfter != 0) return;
  std::erase_if(edges_, [this](const auto& edge) {
    return edge.second.last_window + kForgottenAfter < window_;
  });
  servers_.clear();  // they are learnt anew with the next window
}

std::vector<Metric> ServiceGraph::points(const ClosedWindow& window) const {
  if (edges_.empty()) return {};
  const auto& bounds = row_of(MetricKind::kServerDuration).bounds();
  Sum requests;
  Sum failed;
  Histogram clients;
  Histogram servers;
  for (const auto& [identity, edge] : edges_) {
    Attributes attributes;
    if (identity == Identity{}) {
      attributes = {{"otel.metric.overflow", true}};
    } else {
      attributes = {{"client", std::get<0>(identity)}, {"server", std::get<1>(identity)}};
      if (std::get<2>(identity))
        attributes.push_back({"connection_type", std::string("virtual_node")});
    }
    const bool by_client = edge.client.counted.count() > 0;
    requests.points.push_back(
        (by_client ? edge.client : edge.server).number_point(attributes, window.end));
    failed.points.push_back(requests.points.back());
    failed.points.back().value = static_cast<std::int64_t>(edge.failed);
    if (by_client)
      clients.points.push_back(edge.client.histogram_point(attributes, window.end, bounds));
    if (edge.server.counted.count() > 0)
      servers.points.push_back(edge.server.histogram_point(attributes, window.end, bounds));
  }
  std::vector<Metric> metrics;
  const auto add = [&metrics](const char* name, const char* description, auto points) {
    if (!points.points.empty())
      metrics.push_back(
          {.name = name, .description = description, .unit = "", .points = std::move(points)});
  };
  add("traces_service_graph_request", "Requests from one service to another.", std::move(requests));
  add("traces_service_graph_request_failed", "Those of them that failed.", std::move(failed));
  add("traces_service_graph_request_client_seconds", "Their duration as the client saw it.",
      std::move(clients));
  add("traces_service_graph_request_server_seconds", "Their duration as the server saw it.",
      std::move(servers));
  return metrics;
}

}  // namespace exa
