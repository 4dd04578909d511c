#include "agent/discovery/tls/plan_cache.h"

#include <gtest/gtest.h>

#include "tests/support/elf_samples.h"

namespace exa {
namespace {

using namespace test;

FileIdentity file_number(std::uint64_t inode) {
  return {1, inode, 1000, 50};
}

TEST(PlanCache, RemembersAlsoThatThereIsNothing) {
  PlanCache cache;
  const auto file = open_file("/bin/true");
  const auto first = cache.plan_of(file.get());
  const auto again = open_file("/bin/true");
  const auto second = cache.plan_of(again.get());
  ASSERT_TRUE(first);
  EXPECT_EQ(first->verdict, TlsVerdict::kNoLibrary);
  EXPECT_EQ(first, second);  // the same object: the file was read once
  EXPECT_EQ(cache.hits(), 1u);
  EXPECT_EQ(cache.misses(), 1u);
}

TEST(PlanCache, ForgetsAFileThatChanged) {
  const TemporaryFolder folder;
  const auto path = folder.file("library");
  std::filesystem::copy_file(kLibSsl, path);
  PlanCache cache;
  const auto before = cache.plan_of(open_file(path).get());
  std::filesystem::resize_file(path, 100);
  const auto after = cache.plan_of(open_file(path).get());
  ASSERT_TRUE(before && after);
  EXPECT_TRUE(before->readable());
  EXPECT_FALSE(after->readable());
}

TEST(PlanCache, HoldsNoMoreThanItsCapacityAndDropsTheOldest) {
  PlanCache cache(2);
  const auto plan = std::make_shared<const AttachPlan>();
  cache.remember(file_number(1), plan);
  cache.remember(file_number(2), plan);
  EXPECT_TRUE(cache.find(file_number(1)));  // used: 2 is the oldest now
  cache.remember(file_number(3), plan);
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_EQ(cache.evictions(), 1u);
  EXPECT_TRUE(cache.find(file_number(1)));
  EXPECT_FALSE(cache.find(file_number(2)));
  EXPECT_TRUE(cache.find(file_number(3)));
}

TEST(PlanCache, HasNoPlanForWhatIsNoFile) {
  PlanCache cache;
  EXPECT_EQ(cache.plan_of(-1), nullptr);
  EXPECT_EQ(cache.plan_of(open_file("/dev/zero").get()), nullptr);
  EXPECT_EQ(cache.size(), 0u);
}

}  // namespace
}  // namespace exa
