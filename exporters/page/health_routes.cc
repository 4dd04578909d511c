#include "exporters/page/health_routes.h"

#include <utility>

namespace exa {

std::vector<Route> health_routes(ReadinessCheck readiness) {
  return {{.path = "/healthz",
           .what = "the agent is running",
           .answer = [](const PageRequest&) { return text_answer(200, "ok\n"); }},
          {.path = "/readyz",
           .what = "the agent is observing requests",
           .answer = [readiness = std::move(readiness)](const PageRequest&) {
             const Readiness state = readiness ? readiness() : Readiness{};
             return state.ready ? text_answer(200, "ready\n")
                                : text_answer(503, "not ready: " + state.reason + "\n");
           }}};
}

}  // namespace exa
