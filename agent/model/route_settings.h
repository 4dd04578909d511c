// The routes of services: what the parts of a path stand for, as it is configured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace exa {

// A route is named by what it looks like: segments, of which {name} stands for any one, and a * at
// the end for all that follow.
struct RoutePattern {
  std::string service{};  // service.name; empty: any
  std::string path{};
  bool operator==(const RoutePattern&) const = default;
};

struct RouteSettings {
  std::vector<RoutePattern> known{};    // the first that matches counts
  std::vector<RoutePattern> ignored{};  // requests that are not counted at all, as health checks
  bool learn = false;                   // where none is known
  std::uint32_t learnt_per_service = 100;
  bool operator==(const RouteSettings&) const = default;
};

inline constexpr std::size_t kMostRoutePatterns = 1000;
inline constexpr std::size_t kMostRouteBytes = 101;  // a series' name has no room for more

}  // namespace exa
