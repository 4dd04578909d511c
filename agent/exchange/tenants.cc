#include "agent/exchange/tenants.h"

#include <iterator>

namespace exa {
namespace {

constexpr auto kConnections = static_cast<std::size_t>(Place::kConnection);

void collect_losers(const Tenant& tenant, std::vector<const Tenant*>& found) {
  for (const auto& [key, below] : tenant.below)
    collect_losers(*below, found);
  for (const auto lost : tenant.lost) {
    if (lost == 0) continue;
    found.push_back(&tenant);
    return;
  }
}

}  // namespace

void Tenants::count(Tenant& process, std::uint32_t difference) {
  for (auto* at = &process; at->above != nullptr; at = at->above) {
    auto& order = at->above->by_connections;
    auto& held = at->held[kConnections];
    auto entry = order.extract({held, at->key});
    if (entry.empty()) {
      order.emplace(held + difference, at->key);
    } else {
      entry.value().first = held + difference;
      order.insert(std::move(entry));
    }
    held += difference;
  }
}

Tenant& Tenants::take(const ProcessOrigin& origin, std::uint32_t tgid) {
  auto* at = &root_;
  for (const std::uint64_t key :
       {origin.cgroup_id, std::uint64_t{origin.parent_tgid}, std::uint64_t{tgid}}) {
    auto& next = at->below[key];
    if (next == nullptr) {
      next = std::make_unique<Tenant>();
      next->key = key;
      next->above = at;
    }
    at = next.get();
  }
  count(*at, 1);
  return *at;
}

void Tenants::give_back(Tenant& process) {
  count(process, ~0u);
  any_empty_ |= process.held[kConnections] == 0;
}

Tenant& Tenants::heaviest() {
  auto* at = &root_;
  while (!at->below.empty())
    at = at->below.at(std::prev(at->by_connections.end())->second).get();
  return *at;
}

void Tenants::sweep() {
  if (std::exchange(any_empty_, false)) forget_empty(root_);
}

void Tenants::forget_empty(Tenant& tenant) {
  auto& order = tenant.by_connections;
  while (!order.empty() && order.begin()->first == 0) {
    tenant.below.erase(order.begin()->second);
    order.erase(order.begin());
  }
  for (const auto& [key, below] : tenant.below)
    forget_empty(*below);
}

std::vector<const Tenant*> Tenants::losers() const {
  std::vector<const Tenant*> found;
  collect_losers(root_, found);
  return found;
}

}  // namespace exa
