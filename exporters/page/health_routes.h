// /healthz and /readyz: whether the agent runs, and whether it observes requests.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "exporters/page/route.h"

namespace exa {

struct Readiness {
  bool ready = true;
  std::string reason;  // the body of the 503 while not ready
};
// Called on the server's thread.
using ReadinessCheck = std::function<Readiness()>;

// An empty check: always ready.
std::vector<Route> health_routes(ReadinessCheck readiness);

}  // namespace exa
