// Which service asks which, from all requests, as Grafana Tempo's metrics-generator names its
// service graph: traces_service_graph_request_total, _failed_total, _client_seconds and
// _server_seconds. A connection whose two ends this node saw tells both services; of others the
// client tells the server by its name, and who asks a server without a trace is a user.
// Window thread only, owned by WindowPublisher. At most kMostEdges and kMostServers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "agent/request_pipeline/closed_window.h"
#include "agent/request_pipeline/cumulative_total.h"
#include "exa/model/metric.h"

namespace exa {

class ServiceGraph {
 public:
  static constexpr std::size_t kMostEdges = 4000;
  static constexpr std::size_t kMostServers = 4096;
  static constexpr std::uint32_t kForgottenAfter = 360;  // windows without a request

  void add(const ClosedWindow& window);
  [[nodiscard]] std::vector<Metric> points(const ClosedWindow& window) const;

 private:
  struct Edge {
    CumulativeTotal
        client;  // as the client measured its requests, so of all that it is known to ask
    CumulativeTotal server;
    std::uint64_t failed = 0;
    std::uint64_t last_window = 0;
  };
  // Client, server, and whether one of them is not a service that this agent observes; all empty:
  // what found no place.
  using Identity = std::tuple<std::string, std::string, bool>;

  Edge& edge_of(Identity identity, WallTime start);
  // server: the other end of the client's connection; null: this node did not see it.
  [[nodiscard]] Identity identity_of(const GraphEnd& client, const GraphEnd* server,
                                     const ClosedWindow& window) const;
  void learn_servers(const ClosedWindow& window);
  void forget_passed();

  std::map<Identity, Edge> edges_;
  std::map<IpEndpoint, std::string> servers_;  // services by where they listen
  std::uint64_t window_ = 0;                   // by number
};

}  // namespace exa
