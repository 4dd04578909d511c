// Which service asks which, from all requests, as Grafana Tempo's metrics-generator names its
// service graph: traces_service_graph_request_total, _failed_total, _client_seconds and
// _server_seconds. A connection whose two ends this node saw tells both services; of others the
// client tells the server by its name, and who asks a server without a trace is a user. The two
// ends of a request that ends with a window fall on both sides of it, so an end without its other
// one is decided a window later.
// Window thread only, owned by WindowPublisher. At most kMostEdges, divided among clients,
// kMostServers, and GraphEnds::kMostEnds that wait.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "agent/request_pipeline/closed_window.h"
#include "agent/request_pipeline/cumulative_total.h"
#include "agent/request_pipeline/graph_index.h"
#include "agent/request_pipeline/shared_table.h"
#include "exa/model/metric.h"

namespace exa {

class ServiceGraph {
 public:
  static constexpr std::size_t kMostEdges = 4000;
  static constexpr std::size_t kMostServers = 4096;

  void add(const ClosedWindow& window);
  [[nodiscard]] std::vector<Metric> points(const ClosedWindow& window) const;

 private:
  struct Edge {
    CumulativeTotal client;  // as the client measured its requests
    CumulativeTotal server;
    // Each once: of a client's end, or of a server's whose client is not known.
    std::uint64_t requests = 0;
    std::uint64_t failed = 0;
  };
  // Client, server, and whether one of them is not a service that this agent observes; all empty:
  // what found no place.
  using Identity = std::tuple<std::string, std::string, bool>;
  using Table = SharedTable<Identity, Edge>;
  struct Ends {
    GraphIndex clients;
    GraphIndex servers;
  };
  struct WaitingEnd {
    GraphEnd end;
    std::string service;
    WallTime start;  // of its window
  };
  struct OtherEnd {
    const GraphIndex::Known* known = nullptr;
    bool unclear = false;  // it is one of several
  };

  // at_once: it has waited, or cannot.
  void add(const WaitingEnd& end, const Ends& now, bool at_once);
  void add_client(const WaitingEnd& end, const OtherEnd& server, bool at_once);
  void add_server(const WaitingEnd& end, const OtherEnd& client, bool at_once);
  [[nodiscard]] OtherEnd other_end(const GraphEnd& end, const Ends& now) const;
  Edge& edge_of(Identity identity, WallTime start);
  void learn_servers(const ClosedWindow& window);

  Table table_{kMostEdges};
  std::map<IpEndpoint, std::string> servers_;  // services by where they listen
  Ends before_;                                // of the window before
  std::vector<WaitingEnd> waiting_;
};

}  // namespace exa
