#include "agent/discovery/tls/memory_locks.h"

#include <thread>

namespace exa {

std::optional<std::uint32_t> MemoryLocks::held_after(const FileIdentity* file,
                                                     Duration patience) const {
  const auto begin = monotonic_now();
  for (;;) {
    std::optional<std::uint32_t> holder;
    for (const auto tgid : held_for_a_moment())
      if (!holder && (file == nullptr || maps_(tgid, *file))) holder = tgid;
    if (!holder || elapsed(begin, monotonic_now()) >= patience) return holder;
  }
}

std::set<std::uint32_t> MemoryLocks::held_for_a_moment() const {
  constexpr auto kBetweenLooks = std::chrono::milliseconds(5);
  const auto begin = monotonic_now();
  auto held = locked_();
  while (!held.empty() && elapsed(begin, monotonic_now()) < kMoment) {
    std::this_thread::sleep_for(kBetweenLooks);
    const auto now = locked_();
    std::erase_if(held, [&](std::uint32_t tgid) { return !now.contains(tgid); });
  }
  return held;
}

}  // namespace exa
