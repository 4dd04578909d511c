#include "agent/run/pipeline/service_totals.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace exa {
namespace {

void note_pid(std::deque<std::int64_t>& pids, const Target& target) {
  const auto pid = std::ranges::find(target.resource->attributes, "process.pid", &Attribute::key);
  if (pid == target.resource->attributes.end()) return;
  const auto* const number = std::get_if<std::int64_t>(&pid->value);
  if (number == nullptr || std::ranges::find(pids, *number) != pids.end()) return;
  if (pids.size() == ServiceTotals::kMaxPids) pids.pop_front();
  pids.push_back(*number);
}

}  // namespace

ServiceTotals::Service& ServiceTotals::service_of(const Target* target) {
  const auto name = service_text(target == nullptr ? nullptr : target->resource.get());
  if (const auto known = services_.find(name); known != services_.end()) return known->second;
  return services_[services_.size() < kMaxServices ? name : std::string(kOthers)];
}

void ServiceTotals::add(const ClosedWindow& window) {
  for (const auto& series : window.series) {
    const auto& row = row_of(series.key.kind);
    if (!row.counts_requests) continue;
    const auto found = window.targets.find(series.key.target);
    const Target* const target = found == window.targets.end() ? nullptr : found->second.get();
    auto& service = service_of(target);
    const auto count = series.delta.count();
    (row.end == Role::kServer ? service.served : service.called) += count;
    service.errors += series.key.error == ErrorType::kNone ? 0 : count;
    service.overflow += series.key.overflow ? count : 0;
    const auto& semantics = semantics_of(series.key.convention);
    const auto spoken = semantics.spoken ? semantics.spoken(series.key) : semantics.name;
    if (!spoken.empty()) service.spoken.insert(spoken);
    service.last = window.end;
    if (target != nullptr && target->resource) note_pid(service.pids, *target);
  }
}

std::string ServiceTotals::json() const {
  auto services = nlohmann::json::array();
  for (const auto& [name, service] : services_)
    services.push_back({{"name", name},
                        {"served", service.served},
                        {"called", service.called},
                        {"errors", service.errors},
                        {"overflow", service.overflow},
                        {"spoken", service.spoken},
                        {"last_unix_ms", service.last.ns / 1'000'000},
                        {"pids", service.pids}});
  return services.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace exa
