// The ends of one role in one window, by their connection: where an end looks for its other one.
// Endpoints of two network namespaces may be equal, as loopback addresses are in every pod: where
// two sockets stand in one place it is not known which one is meant.
// Window thread only, owned by ServiceGraph. As many as the window has ends.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "agent/request_pipeline/graph_ends.h"

namespace exa {

// 127.0.0.0/8 or ::1; unmapped.
[[nodiscard]] inline bool is_loopback(const IpEndpoint& endpoint) {
  constexpr std::uint8_t kLoopbackNet = 127;
  if (!endpoint.is_ipv6) return endpoint.address[0] == kLoopbackNet;
  IpEndpoint one{.port = endpoint.port, .is_ipv6 = true};
  one.address[15] = 1;
  return endpoint == one;
}

// By the client's endpoint and the server's, each as the end itself sees it.
using GraphConnection = std::pair<IpEndpoint, IpEndpoint>;
[[nodiscard]] inline GraphConnection connection_of(const GraphEnd& end) {
  return end.role == Role::kClient ? GraphConnection{end.local, end.remote}
                                   : GraphConnection{end.remote, end.local};
}

class GraphIndex {
 public:
  struct Known {
    SocketId socket = 0;
    GraphConnection connection;
    std::string service;
    bool unclear = false;  // there is another one
  };

  void add(const GraphEnd& end, const std::string& service) {
    const auto connection = connection_of(end);
    const Known known{.socket = end.socket, .connection = connection, .service = service};
    note(known, by_both_, connection);
    note(known, by_client_, connection.first);
  }
  // Null: there is none.
  [[nodiscard]] const Known* of(const GraphConnection& connection) const {
    return find(by_both_, connection);
  }
  // Whoever translates addresses does so with the server's: a client's own is the same at both
  // ends.
  [[nodiscard]] const Known* of_client(const IpEndpoint& client) const {
    return find(by_client_, client);
  }

 private:
  template <typename Map, typename Key>
  static void note(const Known& known, Map& map, const Key& key) {
    const auto [place, is_new] = map.try_emplace(key, known);
    if (!is_new && place->second.socket != known.socket) place->second.unclear = true;
  }
  template <typename Map, typename Key>
  static const Known* find(const Map& map, const Key& key) {
    const auto known = map.find(key);
    return known == map.end() ? nullptr : &known->second;
  }

  std::map<GraphConnection, Known> by_both_;
  std::map<IpEndpoint, Known> by_client_;
};

}  // namespace exa
