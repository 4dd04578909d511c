#include "agent/discovery/tls/memory_locks.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

using namespace std::chrono_literals;
using Processes = std::set<std::uint32_t>;

constexpr FileIdentity kFile{.device = 1, .inode = 2};

bool maps_nothing(std::uint32_t, const FileIdentity&) {
  return false;
}
bool maps_everything(std::uint32_t, const FileIdentity&) {
  return true;
}

TEST(MemoryLocks, NobodyHoldsOneNobodyIsWaitedFor) {
  const MemoryLocks locks([] { return Processes{}; }, maps_everything);
  EXPECT_FALSE(locks.held_after(&kFile, 10s));
}

TEST(MemoryLocks, ManyHoldOneForAnInstant) {
  std::uint32_t tgid = 0;
  const MemoryLocks locks([&] { return Processes{++tgid}; }, maps_everything);
  EXPECT_FALSE(locks.held_after(&kFile, 10s));
}

TEST(MemoryLocks, OneThatIsHeldForLongCountsWhereTheFileIsMapped) {
  const auto held = [] { return Processes{7, 8}; };
  const MemoryLocks by_others(held, maps_nothing);
  EXPECT_FALSE(by_others.held_after(&kFile, 0s));
  const MemoryLocks by_one(held, [](std::uint32_t tgid, const FileIdentity&) { return tgid == 8; });
  EXPECT_EQ(by_one.held_after(&kFile, 0s), 8u);
  EXPECT_EQ(by_others.held_after(nullptr, 0s), 7u) << "whatever it maps";
}

TEST(MemoryLocks, WhoLetsGoInTimeIsWaitedFor) {
  const auto free_at = monotonic_now() + 300ms;
  const MemoryLocks locks([&] { return monotonic_now() < free_at ? Processes{7} : Processes{}; },
                          maps_everything);
  EXPECT_FALSE(locks.held_after(&kFile, 10s));
  EXPECT_GE(monotonic_now(), free_at);
}

}  // namespace
}  // namespace exa
