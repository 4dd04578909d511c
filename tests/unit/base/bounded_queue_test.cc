#include "exa/base/bounded_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace exa {
namespace {

using namespace std::chrono_literals;

std::chrono::steady_clock::time_point within(std::chrono::seconds limit) {
  return std::chrono::steady_clock::now() + limit;
}

TEST(BoundedQueue, AFullOneRefusesAndLeavesTheItemAlone) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  ASSERT_TRUE(queue.push(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(queue.push(std::move(second)));
  ASSERT_NE(second, nullptr);  // NOLINT(bugprone-use-after-move): refused, so not moved from
  EXPECT_EQ(**queue.pop_until({}), 1);
  EXPECT_TRUE(queue.push(std::move(second)));
  EXPECT_EQ(queue.size(), 1u);
}

TEST(BoundedQueue, AClosedOneIsDrained) {
  BoundedQueue<int> queue(4);
  ASSERT_TRUE(queue.push(1) && queue.push(2));
  queue.close();
  EXPECT_FALSE(queue.push(3));
  EXPECT_TRUE(queue.closed());
  EXPECT_FALSE(queue.closed_and_empty());
  EXPECT_EQ(queue.pop_until(within(10s)), 1);
  EXPECT_EQ(queue.pop_until(within(10s)), 2);
  EXPECT_EQ(queue.pop_until(within(10s)), std::nullopt);
  EXPECT_TRUE(queue.closed_and_empty());
}

TEST(BoundedQueue, CloseWakesWhoWaits) {
  BoundedQueue<int> queue(1);
  std::thread reader([&] { EXPECT_EQ(queue.pop_until(within(60s)), std::nullopt); });
  queue.close();
  reader.join();
}

TEST(BoundedQueue, NothingIsLostOrTwiceBetweenThreads) {
  constexpr int kItems = 20'000;
  BoundedQueue<int> queue(16);
  std::uint64_t refused = 0;
  std::vector<int> received;
  std::thread reader([&] {
    while (!queue.closed_and_empty())
      if (const auto item = queue.pop_until(within(10s))) received.push_back(*item);
  });
  for (int i = 0; i < kItems; ++i)
    while (!queue.push(int{i})) {
      ++refused;
      std::this_thread::yield();
    }
  queue.close();
  reader.join();
  ASSERT_EQ(received.size(), static_cast<std::size_t>(kItems)) << refused << " refused";
  for (int i = 0; i < kItems; ++i)
    ASSERT_EQ(received[static_cast<std::size_t>(i)], i);
}

}  // namespace
}  // namespace exa
