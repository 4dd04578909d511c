#include "agent/exchange/tenants.h"

#include <algorithm>
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
  bool is_new = false;
  for (const std::uint64_t key :
       {origin.cgroup_id, std::uint64_t{origin.parent_tgid}, std::uint64_t{tgid}}) {
    auto& next = at->below[key];
    is_new = next == nullptr;
    if (is_new) {
      next = std::make_unique<Tenant>();
      next->key = key;
      next->above = at;
    }
    at = next.get();
  }
  if (is_new) by_tgid_.emplace(tgid, at);
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
    const auto empty = tenant.below.find(order.begin()->second);
    forget_processes(*empty->second);
    tenant.below.erase(empty);
    order.erase(order.begin());
  }
  for (const auto& [key, below] : tenant.below)
    forget_empty(*below);
}

// A group has at least one process.
void Tenants::forget_processes(const Tenant& tenant) {
  for (const auto& [key, below] : tenant.below)
    forget_processes(*below);
  if (!tenant.below.empty()) return;
  const auto [first, last] = by_tgid_.equal_range(static_cast<std::uint32_t>(tenant.key));
  const auto entry =
      std::find_if(first, last, [&](const auto& known) { return known.second == &tenant; });
  if (entry != last) by_tgid_.erase(entry);
}

std::vector<const Tenant*> Tenants::losers() const {
  std::vector<const Tenant*> found;
  collect_losers(root_, found);
  return found;
}

}  // namespace exa
