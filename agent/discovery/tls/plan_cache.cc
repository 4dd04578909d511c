#include "agent/discovery/tls/plan_cache.h"

#include <utility>

namespace exa {

std::size_t PlanCache::Hash::operator()(const FileIdentity& file) const {
  std::uint64_t mixed = 0;
  for (const std::uint64_t part : {file.device, file.inode, file.mtime_ns, file.size_bytes})
    mixed = (mixed ^ part) * 0x9e3779b97f4a7c15u, mixed ^= mixed >> 29;
  return static_cast<std::size_t>(mixed);
}

std::shared_ptr<const AttachPlan> PlanCache::find(const FileIdentity& file) {
  const auto found = plans_.find(file);
  if (found == plans_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second);
  return found->second->plan;
}

void PlanCache::remember(const FileIdentity& file, std::shared_ptr<const AttachPlan> plan) {
  if (const auto found = plans_.find(file); found != plans_.end()) {
    found->second->plan = std::move(plan);
    return;
  }
  if (capacity_ == 0) return;
  if (plans_.size() == capacity_) {
    plans_.erase(order_.back().file);
    order_.pop_back();
  }
  order_.push_front({file, std::move(plan)});
  plans_.emplace(file, order_.begin());
}

}  // namespace exa
