#include "agent/run/pipeline/window_hand_over.h"

#include <gmock/gmock.h>

#include <condition_variable>
#include <memory>
#include <mutex>

#include "tests/unit/pipeline/made_requests.h"

namespace exa::testing {
namespace {

using ::testing::ElementsAre;

ClosedWindow window_ending(std::uint64_t end_s) {
  ClosedWindow window;
  window.start = kOffset.to_wall(kStart);
  window.end = {window.start.ns + end_s * 1'000'000'000};
  return window;
}

// Publishes one window at a time, when it is told to.
struct Publication {
  void publish(const WindowJob& job) {
    std::unique_lock lock(mutex);
    ++begun;
    changed.notify_all();
    changed.wait(lock, [&] { return free; });
    texts.push_back(text_of(job.window));
    gauges.push_back(job.gauges);
  }
  void wait_until_busy() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return begun > 0; });
  }
  void let_go() {
    const std::lock_guard lock(mutex);
    free = true;
    changed.notify_all();
  }
  std::mutex mutex;
  std::condition_variable changed;
  int begun = 0;
  bool free = false;
  std::vector<std::string> texts;
  std::vector<SelfGauges> gauges;
};

struct AHandOver : ::testing::Test {
  Counters counters;
  RequestPipeline pipeline{small_pipeline(), counters};
  SelfGauges gauges;
  Publication publication;
  WindowHandOver windows{pipeline, gauges, counters,
                         [this](WindowJob& job) { publication.publish(job); }};
};

TEST_F(AHandOver, PublishesEachWindowWithWhatWasKnownWhenItClosed) {
  publication.let_go();
  gauges.pods = 3;
  pipeline.on_target(target_of(100, "shop"));
  EXPECT_FALSE(windows.take(window_ending(10)));
  gauges.pods = 4;
  windows.finish();
  ASSERT_THAT(publication.texts, ElementsAre("0..10 0"));
  EXPECT_EQ(publication.gauges[0].pods, 3u);
  EXPECT_EQ(publication.gauges[0].targets, pipeline.targets());
  EXPECT_EQ(publication.gauges[0].connections_limit, pipeline.connections_limit());
}

TEST_F(AHandOver, WindowsBecomeOneWhilePublicationIsBehind) {
  EXPECT_FALSE(windows.take(window_ending(1)));
  publication.wait_until_busy();
  std::uint64_t end = 2;
  for (std::size_t i = 0; i < WindowLoop::kQueuedWindows; ++i)
    EXPECT_FALSE(windows.take(window_ending(end++)));
  EXPECT_FALSE(windows.take(window_ending(end++))) << "waits alone";
  EXPECT_TRUE(windows.take(window_ending(end++)));
  EXPECT_TRUE(windows.take(window_ending(end++)));
  EXPECT_EQ(counters.get(Counter::kWindowsLate), 2u);
  publication.let_go();
  windows.finish();
  EXPECT_THAT(publication.texts, ElementsAre("0..1 0", "0..2 0", "0..3 0", "0..6 0"));
}

}  // namespace
}  // namespace exa::testing
