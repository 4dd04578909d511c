// The route of a request: the first known pattern that its path matches, else what was learnt of
// its service. Capture thread, owned by RequestPipeline. Bounds: kMostServices that learn; where
// there are so many, those without a request for kIdleWindows make room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/model/route_settings.h"
#include "agent/routes/route_learner.h"
#include "agent/routes/route_texts.h"
#include "exa/model/exchange.h"

namespace exa {

class RouteTable {
 public:
  static constexpr std::size_t kMostServices = 500;

  static constexpr std::uint64_t kIdleWindows = 30;  // as long as series stay

  explicit RouteTable(const RouteSettings& settings)
      : settings_(settings), texts_(kMostServices * settings.learnt_per_service) {}

  // Nothing is configured: nobody need be asked.
  [[nodiscard]] bool empty() const {
    return settings_.known.empty() && settings_.ignored.empty() && !settings_.learn;
  }
  // Finds the route of a server's request. False: such requests are ignored, at both of their ends.
  bool admit(const std::string& service, Exchange& exchange);

  void close_window();

  // service: whose request it is; empty where that is not known, as at a client.
  [[nodiscard]] bool ignores(std::string_view service, std::string_view path, bool cut) const;
  // Null: none. Lives as long as the table.
  const std::string* route_of(const std::string& service, std::string_view path, bool cut);

 private:
  struct Service {
    RouteLearner learner;
    std::uint64_t last_window = 0;
  };

  const RouteSettings settings_;
  std::unordered_map<std::string, Service> services_;
  RouteTexts texts_;
  std::uint64_t window_ = 0;
};

}  // namespace exa
