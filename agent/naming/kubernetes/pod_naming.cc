#include "agent/naming/kubernetes/pod_naming.h"

#include <algorithm>
#include <string_view>

namespace exa {
namespace {

constexpr std::size_t kUpdatesPerTurn = 256;
constexpr std::size_t kMaxInstances = 16384;
constexpr Duration kLookedFor = std::chrono::minutes(10);
constexpr Duration kPurgeInterval = std::chrono::seconds(10);

std::string text_of(const Target& target, std::string_view key) {
  return target.resource ? attribute_text(target.resource->attributes, key) : std::string();
}

}  // namespace

PodNaming::PodNaming(const PodNamingOptions& options, PodUpdates& updates, Counters& counters,
                     Sink sink)
    : options_(options),
      updates_(updates),
      counters_(counters),
      sink_(std::move(sink)),
      directory_(options.max_pods, counters) {}

void PodNaming::on_target(const Target& target, MonotonicTime now) {
  Waiting waiting{.target = target,
                  .container_id = text_of(target, "container.id"),
                  .pod_uid = text_of(target, "k8s.pod.uid"),
                  .until = now + options_.max_wait,
                  .forget_at = now + kLookedFor};
  if (!target.observed || (waiting.container_id.empty() && waiting.pod_uid.empty())) {
    sink_(target);
    return;
  }
  // An older state of the same process is no longer looked for.
  std::erase_if(waiting_, [&](const Waiting& other) {
    return other.target.process.tgid == target.process.tgid;
  });
  Target named;
  if (name(waiting, named) == Naming::kWhole) {
    counters_.add(Counter::kPodTargetsNamed);
    sink_(named);
    return;
  }
  if (waiting_.size() >= options_.max_waiting) {
    counters_.add(Counter::kPodTargetsOverflow);
    let_go(waiting_.front());
    waiting_.erase(waiting_.begin());
  }
  counters_.add(Counter::kPodTargetsWaited);
  waiting_.push_back(std::move(waiting));
}

void PodNaming::advance(MonotonicTime now) {
  std::size_t applied = 0;
  const auto at_once = std::chrono::steady_clock::time_point();
  while (applied < kUpdatesPerTurn) {
    auto update = updates_.pop_until(at_once);
    if (!update) break;
    directory_.apply(std::move(*update), now);
    ++applied;
  }
  if (now >= next_purge_) {
    directory_.forget_deleted(now);
    next_purge_ = now + kPurgeInterval;
  }
  if (waiting_.empty()) return;
  const bool due = std::ranges::any_of(waiting_, [&](const Waiting& waiting) {
    return waiting.let_go ? waiting.forget_at <= now : waiting.until <= now;
  });
  if (applied == 0 && !due) return;
  std::erase_if(waiting_, [&](Waiting& waiting) { return settle(waiting, now); });
}

bool PodNaming::awaits_pods() const {
  return std::ranges::any_of(waiting_, [](const Waiting& waiting) { return !waiting.let_go; });
}

void PodNaming::release_all() {
  for (auto& waiting : waiting_)
    let_go(waiting);
  waiting_.clear();
}

PodNaming::Naming PodNaming::name(const Waiting& waiting, Target& named) {
  const auto match = directory_.find(waiting.container_id, waiting.pod_uid);
  if (match.pod == nullptr) return Naming::kUnknown;
  const auto instance = unique_instance(*match.pod, match.container, waiting.target.process);
  named = name_by_pod(options_.rules, waiting.target, *match.pod, match.container, instance);
  return match.container != nullptr ? Naming::kWhole : Naming::kPodOnly;
}

// True if it need not be looked for any longer.
bool PodNaming::settle(Waiting& waiting, MonotonicTime now) {
  Target named;
  if (name(waiting, named) == Naming::kWhole) {
    counters_.add(waiting.let_go ? Counter::kPodTargetsLate : Counter::kPodTargetsNamed);
    sink_(named);
    return true;
  }
  if (!waiting.let_go && waiting.until <= now) let_go(waiting);
  return waiting.forget_at <= now;
}

void PodNaming::let_go(Waiting& waiting) {
  if (waiting.let_go) return;
  waiting.let_go = true;
  Target named;
  if (name(waiting, named) != Naming::kUnknown) {
    sink_(named);
    return;
  }
  named = waiting.target;
  // A container outside Kubernetes is nobody's loss.
  named.provisional = !waiting.pod_uid.empty();
  if (named.provisional) counters_.add(Counter::kPodTargetsUnnamed);
  sink_(named);
}

// The first process of a container has the id by itself; every further one, as a worker of nginx,
// carries its pid, or two processes would write one series.
std::string PodNaming::unique_instance(const Pod& pod, const PodContainer* container,
                                       const ProcessIdentity& process) {
  auto id = instance_id(pod, container);
  const auto with_pid = [&] { return id + "." + std::to_string(process.tgid); };
  if (const auto known = instances_.find(id); known != instances_.end())
    return known->second.process.tgid == process.tgid ? id : with_pid();
  if (instances_.size() >= kMaxInstances)
    std::erase_if(instances_,
                  [&](const auto& claim) { return !directory_.has(claim.second.pod_uid); });
  if (instances_.size() >= kMaxInstances) return with_pid();
  instances_.emplace(id, Claim{.process = process, .pod_uid = pod.uid});
  return id;
}

}  // namespace exa
