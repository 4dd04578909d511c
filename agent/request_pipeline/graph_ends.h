// What was asked over each connection in the open window, at either of its ends: from which the
// window thread draws the graph of services.
// Capture thread only, owned by RequestPipeline. At most kMostEnds a window.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/metrics/distribution.h"
#include "agent/semantics/server_name.h"
#include "exa/model/exchange.h"

namespace exa {

// Of one end of one connection, and of the requests that carried a trace context or of those that
// did not.
struct GraphEnd {
  SocketId socket = 0;
  IpEndpoint local;
  IpEndpoint remote;
  TargetId target = kNoTarget;
  Role role = Role::kServer;
  bool has_context = false;
  ServerHost host;  // of a client's: the server as its first request named it; empty: it did not
  Distribution durations{};
  std::uint64_t failed = 0;
};

class GraphEnds {
 public:
  static constexpr std::size_t kMostEnds = 8192;

  explicit GraphEnds(bool kept) : kept_(kept) {}

  // False: there is no room for its connection, or it is not known which one that is.
  bool add(const Exchange& exchange, std::uint8_t bucket, std::uint64_t value, bool failed) {
    if (!kept_) return true;
    if (exchange.local.port == 0 || exchange.remote.port == 0) return false;
    const auto [known, is_new] = places_.try_emplace(key_of(exchange), ends_.size());
    if (is_new) {
      if (ends_.size() >= kMostEnds) {
        places_.erase(known);
        return false;
      }
      ends_.push_back({.socket = exchange.socket,
                       .local = unmapped(exchange.local),
                       .remote = unmapped(exchange.remote),
                       .target = exchange.target,
                       .role = exchange.role,
                       .has_context = exchange.has_context,
                       .host = {}});
      if (exchange.role == Role::kClient) name_server(exchange, ends_.back().host);
    }
    auto& end = ends_[known->second];
    end.durations.add(bucket, value);
    end.failed += failed ? 1 : 0;
    return true;
  }

  // Those of the window that closes.
  [[nodiscard]] std::vector<GraphEnd> take() {
    places_.clear();
    return std::exchange(ends_, {});
  }

 private:
  struct Key {
    SocketId socket;
    TargetId target;
    std::uint16_t local_port;
    std::uint16_t remote_port;
    bool has_context;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      const auto ports = std::uint64_t{key.local_port} << 32 | std::uint64_t{key.remote_port} << 1 |
                         std::uint64_t{key.has_context};
      return (key.socket * 0x9e3779b97f4a7c15 ^ ports * 0xd6e8feb86659fd93) ^ key.target;
    }
  };
  static Key key_of(const Exchange& exchange) {
    return {.socket = exchange.socket,
            .target = exchange.target,
            .local_port = exchange.local.port,
            .remote_port = exchange.remote.port,
            .has_context = exchange.has_context};
  }

  const bool kept_;
  std::vector<GraphEnd> ends_;
  std::unordered_map<Key, std::size_t, Hash> places_;
};

}  // namespace exa
