// The route of a request: the first known pattern that its path matches, else what was learnt of
// its service. Capture thread, owned by RequestPipeline. Bounds: kMostServices that learn.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/model/route_settings.h"
#include "agent/routes/route_learner.h"
#include "exa/model/exchange.h"

namespace exa {

class RouteTable {
 public:
  static constexpr std::size_t kMostServices = 500;

  explicit RouteTable(const RouteSettings& settings) : settings_(settings) {}

  // Nothing is configured: nobody need be asked.
  [[nodiscard]] bool empty() const {
    return settings_.known.empty() && settings_.ignored.empty() && !settings_.learn;
  }
  // Finds the route of a server's request. False: such requests are ignored, at both of their ends.
  bool admit(const std::string& service, Exchange& exchange);

  [[nodiscard]] bool ignores(std::string_view service, std::string_view path, bool cut) const;
  // Null: none. Lives as long as the table.
  const std::string* route_of(const std::string& service, std::string_view path, bool cut);

 private:
  const RouteSettings settings_;
  std::unordered_map<std::string, RouteLearner> learners_;
};

}  // namespace exa
