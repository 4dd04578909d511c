#include "agent/run/pipeline/window_loop.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

namespace exa {
namespace {

WindowJob job_of(std::uint64_t targets) {
  WindowJob job;
  job.gauges.targets = targets;
  return job;
}

TEST(WindowLoop, PublishesInOrderAndDrainsAtTheEnd) {
  std::vector<std::uint64_t> published;
  {
    WindowLoop windows([&](WindowJob& job) { published.push_back(job.gauges.targets); });
    for (std::uint64_t i = 0; i < 100; ++i) {
      auto job = job_of(i);
      while (!windows.push(std::move(job)))
        std::this_thread::yield();
    }
    windows.finish();
    EXPECT_EQ(published.size(), 100u);
  }
  for (std::uint64_t i = 0; i < published.size(); ++i)
    EXPECT_EQ(published[i], i);
}

// The capture thread keeps a job that is refused and makes it one with the next.
TEST(WindowLoop, RefusesWhilePublicationIsBehindAndLeavesTheJobAlone) {
  std::mutex mutex;
  std::condition_variable changed;
  bool busy = false;
  bool may_go_on = false;
  std::uint64_t published = 0;
  WindowLoop windows([&](WindowJob&) {
    std::unique_lock lock(mutex);
    busy = true;
    changed.notify_all();
    changed.wait(lock, [&] { return may_go_on; });
    ++published;
  });
  ASSERT_TRUE(windows.push(job_of(0)));
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return busy; });
  }
  for (std::size_t i = 0; i < WindowLoop::kQueuedWindows; ++i)
    ASSERT_TRUE(windows.push(job_of(1)));
  auto refused = job_of(7);
  EXPECT_FALSE(windows.push(std::move(refused)));
  EXPECT_EQ(refused.gauges.targets, 7u);  // NOLINT(bugprone-use-after-move): not moved from
  {
    const std::lock_guard lock(mutex);
    may_go_on = true;
  }
  changed.notify_all();
  windows.finish();
  EXPECT_EQ(published, 1 + WindowLoop::kQueuedWindows);
  EXPECT_FALSE(windows.push(job_of(8))) << "after the end nobody publishes";
}

}  // namespace
}  // namespace exa
