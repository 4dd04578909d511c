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
  if (ignores(service, path, operation.name.cut())) return false;
  if (exchange.role == Role::kServer)
    exchange.route = route_of(service, path, operation.name.cut());
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
  auto learner = learners_.find(service);
  if (learner == learners_.end()) {
    if (learners_.size() >= kMostServices) return nullptr;
    learner = learners_.emplace(service, RouteLearner(settings_.learnt_per_service)).first;
  }
  return learner->second.see(path_template(path, cut));
}

}  // namespace exa
