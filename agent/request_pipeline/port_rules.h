// Which ports are observed, once more for finished exchanges: the kernel judges sockets, but the
// socket under a TLS stream may become known late or never. What is not known to be included is not
// observed, nor is what may be excluded.
// Pure; at most EXA_MAX_PORTS of each.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "exa/model/exchange.h"

namespace exa {

struct PortRules {
  std::vector<std::uint16_t> included;  // empty: every port
  std::vector<std::uint16_t> excluded;

  [[nodiscard]] bool admit(const Exchange& exchange) const {
    if (included.empty() && excluded.empty()) return true;
    const auto local = exchange.local.port;
    const auto remote = exchange.remote.port;
    if (local == 0 || remote == 0) return exchange.ports_proven;
    const auto names_one = [&](const std::vector<std::uint16_t>& ports) {
      return std::ranges::any_of(ports, [&](auto port) { return port == local || port == remote; });
    };
    return (included.empty() || names_one(included)) && !names_one(excluded);
  }
};

}  // namespace exa
