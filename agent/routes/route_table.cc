#include "agent/routes/route_table.h"

#include <algorithm>

#include "agent/routes/route_pattern.h"
#include "agent/semantics/path_template.h"
#include "agent/semantics/semantics.h"

namespace exa {
namespace {

auto covers(std::string_view service, std::string_view path, bool cut) {
  return [=](const RoutePattern& pattern) {
    return (pattern.service.empty() || pattern.service == service) &&
           matches_route(pattern.path, path, cut);
  };
}

}  // namespace

bool RouteTable::admit(const std::string& service, Exchange& exchange) {
  const auto& operation = exchange.operation;
  if (!semantics_of(operation.convention).by_route) return true;
  const auto path = operation.name.view();
  // A client's service is another one than that whose paths these are.
  const bool at_server = exchange.role == Role::kServer;
  if (ignores(at_server ? service : std::string_view(), path, operation.name.cut())) return false;
  if (at_server) exchange.route = route_of(service, path, operation.name.cut());
  return true;
}

bool RouteTable::ignores(std::string_view service, std::string_view path, bool cut) const {
  return std::ranges::any_of(settings_.ignored, covers(service, path, cut));
}

const std::string* RouteTable::route_of(const std::string& service, std::string_view path,
                                        bool cut) {
  const auto known = std::ranges::find_if(settings_.known, covers(service, path, cut));
  if (known != settings_.known.end()) return &known->path;
  if (!settings_.learn) return nullptr;
  auto found = services_.find(service);
  if (found == services_.end()) {
    if (services_.size() >= kMostServices) return nullptr;
    const Service newcomer{.learner = RouteLearner(settings_.learnt_per_service)};
    found = services_.emplace(service, newcomer).first;
  }
  found->second.last_window = window_;
  return found->second.learner.see(path_template(path, cut), texts_);
}

// Not before a place is needed: what a service has learnt serves it again when it returns.
void RouteTable::close_window() {
  ++window_;
  if (services_.size() < kMostServices) return;
  std::erase_if(services_, [this](const auto& one) {
    return one.second.last_window + kIdleWindows < window_;
  });
}

}  // namespace exa
