#include "agent/naming/kubernetes/pod_directory.h"

#include <algorithm>

namespace exa {
namespace {

constexpr std::size_t kUuidLength = 36;

}  // namespace

void PodDirectory::apply(PodUpdate update, MonotonicTime now) {
  switch (update.kind) {
    case PodUpdate::Kind::kListBegan:
      ++list_;
      break;
    case PodUpdate::Kind::kPod:
      put(std::move(update.pod));
      break;
    case PodUpdate::Kind::kPodDeleted:
      // It may tell the last container ids.
      if (const auto known = pods_.find(update.pod.uid); known != pods_.end()) {
        const auto uid = update.pod.uid;
        put(std::move(update.pod));
        pods_.at(uid).deleted = now;
      }
      break;
    case PodUpdate::Kind::kListEnded:
      for (auto& [uid, entry] : pods_)
        if (entry.list != list_ && !entry.deleted.known()) entry.deleted = now;
      break;
  }
}

void PodDirectory::put(Pod pod) {
  const auto known = pods_.find(pod.uid);
  if (known == pods_.end() && pods_.size() >= max_pods_) {
    // The longest deleted makes room; pods that exist never do.
    const auto oldest = std::ranges::min_element(pods_, {}, [](const auto& item) {
      return item.second.deleted.known() ? item.second.deleted.ns : UINT64_MAX;
    });
    if (oldest == pods_.end() || !oldest->second.deleted.known()) {
      counters_.add(Counter::kPodsOverflow);
      return;
    }
    drop_ids(oldest->second.pod);
    pods_.erase(oldest);
  }
  auto& entry = pods_[pod.uid];
  drop_ids(entry.pod);
  entry.pod = std::move(pod);
  entry.list = list_;
  entry.deleted = {};
  for (const auto& container : entry.pod.containers)
    for (const auto& id : container.ids)
      uid_of_container_.try_emplace(id, entry.pod.uid);
}

void PodDirectory::drop_ids(const Pod& pod) {
  for (const auto& container : pod.containers) {
    for (const auto& id : container.ids) {
      const auto known = uid_of_container_.find(id);
      if (known != uid_of_container_.end() && known->second == pod.uid)
        uid_of_container_.erase(known);
    }
  }
}

PodMatch PodDirectory::find(std::string_view container_id, std::string_view pod_uid) const {
  auto known = pods_.find(std::string(pod_uid));
  if (known != pods_.end() || pod_uid.size() == kUuidLength) {
    // The path's word is enough, also where it says a pod that nobody told yet.
  } else if (const auto owner = uid_of_container_.find(std::string(container_id));
             owner != uid_of_container_.end()) {
    known = pods_.find(owner->second);
  }
  if (known == pods_.end()) return {};
  const auto& pod = known->second.pod;
  for (const auto& container : pod.containers)
    if (std::ranges::find(container.ids, container_id) != container.ids.end())
      return {.pod = &pod, .container = &container};
  return {.pod = &pod, .container = nullptr};
}

void PodDirectory::forget_deleted(MonotonicTime now) {
  for (auto item = pods_.begin(); item != pods_.end();) {
    const auto& entry = item->second;
    if (entry.deleted.known() && elapsed(entry.deleted, now) >= kKeepDeleted) {
      drop_ids(entry.pod);
      item = pods_.erase(item);
    } else {
      ++item;
    }
  }
}

}  // namespace exa
