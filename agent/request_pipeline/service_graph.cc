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
  return client.host.empty() ? address_text(client.remote) : std::string(client.host.view());
}

// An edge is in use only while it counts.
auto nobody_refers() {
  return [](const auto& /*place*/) { return false; };
}

}  // namespace

void ServiceGraph::learn_servers(const ClosedWindow& window) {
  // They are learnt anew with this window.
  if (table_.window() % Table::kForgottenAfter == 0) servers_.clear();
  for (const auto& end : window.graph_ends) {
    // A loopback address is another one's in each network namespace.
    if (end.role != Role::kServer || is_loopback(end.local)) continue;
    const auto known = servers_.find(end.local);
    if (known != servers_.end())
      known->second = service_of(window, end.target);
    else if (servers_.size() < kMostServers)
      servers_.emplace(end.local, service_of(window, end.target));
  }
}

void ServiceGraph::add(const ClosedWindow& window) {
  table_.begin_window();
  learn_servers(window);
  Ends now;
  std::vector<WaitingEnd> ends = std::exchange(waiting_, {});
  const auto waited = ends.size();
  for (const auto& end : window.graph_ends) {
    ends.push_back({.end = end, .service = service_of(window, end.target), .start = window.start});
    (end.role == Role::kClient ? now.clients : now.servers).add(end, ends.back().service);
  }
  for (std::size_t i = 0; i < ends.size(); ++i)
    add(ends[i], now, i < waited || window.last || waiting_.size() >= GraphEnds::kMostEnds);
  before_ = std::move(now);
  table_.end_window(nobody_refers);
}

void ServiceGraph::add(const WaitingEnd& end, const Ends& now, bool at_once) {
  const auto other = other_end(end.end, now);
  if (end.end.role == Role::kClient)
    add_client(end, other, at_once);
  else
    add_server(end, other, at_once);
}

void ServiceGraph::add_client(const WaitingEnd& client, const OtherEnd& server, bool at_once) {
  const auto& [end, service, start] = client;
  std::string asked;
  if (server.known != nullptr)
    asked = server.known->service;
  else if (const auto listens = servers_.find(end.remote); listens != servers_.end())
    asked = listens->second;
  else if (!server.unclear && !at_once)
    return waiting_.push_back(client);
  const bool observed = !asked.empty();
  auto& edge = edge_of({service, observed ? asked : host_of(end), !observed}, start);
  edge.client.add(end.durations);
  edge.requests += end.durations.count();
  edge.failed += end.failed;
}

void ServiceGraph::add_server(const WaitingEnd& server, const OtherEnd& client, bool at_once) {
  const auto& [end, service, start] = server;
  if (client.known != nullptr) {
    edge_of({client.known->service, service, false}, start).server.add(end.durations);
    return;
  }
  if (client.unclear) return;  // it is one of ours, and tells where it is
  if (!at_once) return waiting_.push_back(server);
  if (end.has_context) return;  // whoever asks is traced, and tells it where it is
  auto& edge = edge_of({kUser, service, true}, start);
  edge.server.add(end.durations);
  edge.requests += end.durations.count();
  edge.failed += end.failed;
}

ServiceGraph::OtherEnd ServiceGraph::other_end(const GraphEnd& end, const Ends& now) const {
  const bool is_client = end.role == Role::kClient;
  const auto others_of = [&](const Ends& ends) -> const GraphIndex& {
    return is_client ? ends.servers : ends.clients;
  };
  const auto same_role_of = [&](const Ends& ends) -> const GraphIndex& {
    return is_client ? ends.clients : ends.servers;
  };
  const auto connection = connection_of(end);
  for (const auto* const ends : {&now, &before_})
    if (const auto* const known = others_of(*ends).of(connection); known != nullptr)
      return known->unclear ? OtherEnd{.unclear = true} : OtherEnd{.known = known};
  // Where the server's address is translated its two forms differ; nobody does that within a
  // loopback network.
  if (is_loopback(connection.first)) return {};
  OtherEnd found;
  for (const auto* const ends : {&now, &before_}) {
    const auto* const known = others_of(*ends).of_client(connection.first);
    if (known == nullptr) continue;
    // One whose own other end is there is not this one's.
    if (same_role_of(now).of(known->connection) != nullptr ||
        same_role_of(before_).of(known->connection) != nullptr)
      continue;
    if (known->unclear || (found.known != nullptr && found.known->socket != known->socket))
      return {.unclear = true};
    if (found.known == nullptr) found.known = known;
  }
  return found;
}

ServiceGraph::Edge& ServiceGraph::edge_of(Identity identity, WallTime start) {
  const auto [place, is_new] = table_.place(std::move(identity), nobody_refers);
  auto& edge = place->second.total;
  if (is_new) edge.client.start = edge.server.start = start;
  return edge;
}

std::vector<Metric> ServiceGraph::points(const ClosedWindow& window) const {
  if (table_.places().empty()) return {};
  const auto& bounds = row_of(MetricKind::kServerDuration).bounds();
  Sum requests;
  Sum failed;
  Histogram clients;
  Histogram servers;
  for (const auto& [identity, entry] : table_.places()) {
    const auto& edge = entry.total;
    Attributes attributes;
    if (identity == Identity{}) {
      attributes = {{"otel.metric.overflow", true}};
    } else {
      attributes = {{"client", std::get<0>(identity)}, {"server", std::get<1>(identity)}};
      if (std::get<2>(identity))
        attributes.push_back({"connection_type", std::string("virtual_node")});
    }
    requests.points.push_back(edge.client.number_point(attributes, window.end));
    requests.points.back().value = static_cast<std::int64_t>(edge.requests);
    failed.points.push_back(requests.points.back());
    failed.points.back().value = static_cast<std::int64_t>(edge.failed);
    if (edge.client.counted.count() > 0)
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
