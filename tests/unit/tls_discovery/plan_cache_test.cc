#include "agent/discovery/tls/plan_cache.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

FileIdentity file_number(std::uint64_t inode) {
  return {1, inode, 1000, 50};
}

TEST(PlanCache, RemembersAlsoThatThereIsNothing) {
  PlanCache cache;
  const auto nothing = std::make_shared<const AttachPlan>();
  EXPECT_EQ(cache.find(file_number(1)), nullptr);
  cache.remember(file_number(1), nothing);
  EXPECT_EQ(cache.find(file_number(1)), nothing);
}

TEST(PlanCache, DoesNotKnowAFileThatChanged) {
  PlanCache cache;
  const FileIdentity before{.device = 1, .inode = 2, .mtime_ns = 1000, .size_bytes = 50};
  cache.remember(before, std::make_shared<const AttachPlan>());
  EXPECT_FALSE(cache.find({.device = 1, .inode = 2, .mtime_ns = 1001, .size_bytes = 50}));
  EXPECT_FALSE(cache.find({.device = 1, .inode = 2, .mtime_ns = 1000, .size_bytes = 51}));
  EXPECT_TRUE(cache.find(before));
}

TEST(PlanCache, HoldsNoMoreThanItsCapacityAndDropsTheOldest) {
  PlanCache cache(2);
  const auto plan = std::make_shared<const AttachPlan>();
  cache.remember(file_number(1), plan);
  cache.remember(file_number(2), plan);
  EXPECT_TRUE(cache.find(file_number(1)));  // used: 2 is the oldest now
  cache.remember(file_number(3), plan);
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_TRUE(cache.find(file_number(1)));
  EXPECT_FALSE(cache.find(file_number(2)));
  EXPECT_TRUE(cache.find(file_number(3)));
}

}  // namespace
}  // namespace exa
