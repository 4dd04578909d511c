#include "agent/why/thread_history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace exa {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// A thread, told exactly: each state of it follows the one before.
class Life {
 public:
  enum State { kRun, kWait, kSleep };

  void pass(State state, Duration time) {
    states_.push_back({state, call_.time, after(call_.time, time)});
    call_.time = states_.back().until;
    if (state == kRun) call_.on_cpu += time;
    if (state == kWait) call_.cpu_wait += time;
    if (state == kSleep) ++call_.voluntary_switches;
    call_.exec_start_ns = call_.time.ns;
  }
  [[nodiscard]] const CallFacts& now() const { return call_; }
  [[nodiscard]] Duration spent(State state, MonotonicTime from) const {
    Duration sum{};
    for (const auto& part : states_)
      if (part.state == state && part.until > from)
        sum += elapsed(std::max(part.from, from), part.until);
    return sum;
  }

 private:
  struct Part {
    State state;
    MonotonicTime from;
    MonotonicTime until;
  };
  static MonotonicTime after(MonotonicTime time, Duration more) {
    return {time.ns + static_cast<std::uint64_t>(more.count())};
  }

  CallFacts call_{.time = {1'000'000'000}, .thread = 42, .cpu_wait_known = true};
  std::vector<Part> states_;
};

MonotonicTime before(const Life& life, Duration time) {
  return {life.now().time.ns - static_cast<std::uint64_t>(time.count())};
}

TEST(ThreadHistory, AnEventLoopThatIsBusyWithAnotherRequest) {
  ThreadHistory history;
  Life loop;
  history.note(loop.now());
  loop.pass(Life::kSleep, milliseconds(500));
  loop.pass(Life::kRun, milliseconds(1));
  history.note(loop.now());  // it read the other request
  loop.pass(Life::kRun, milliseconds(60));
  loop.pass(Life::kWait, milliseconds(30));
  history.note(loop.now());  // and answered it
  const auto awake = history.at_least_awake(before(loop, milliseconds(80)), loop.now());
  EXPECT_EQ(awake.on_cpu, milliseconds(50)) << "the first 10 ms may have been on a CPU";
  EXPECT_EQ(awake.cpu_wait, milliseconds(20));
}

TEST(ThreadHistory, OfAThreadThatSleptItSaysNothing) {
  ThreadHistory history;
  Life loop;
  history.note(loop.now());
  loop.pass(Life::kSleep, milliseconds(500));
  loop.pass(Life::kWait, milliseconds(30));
  const auto awake = history.at_least_awake(before(loop, milliseconds(30)), loop.now());
  EXPECT_EQ(awake.on_cpu, Duration::zero());
  EXPECT_EQ(awake.cpu_wait, Duration::zero()) << "it may have waited before it slept";
}

TEST(ThreadHistory, ManyShortRequestsBeforeOne) {
  ThreadHistory history;
  Life loop;
  for (int i = 0; i < 100'000; ++i) {
    loop.pass(Life::kRun, microseconds(100));
    history.note(loop.now());
  }
  const auto awake = history.at_least_awake(before(loop, milliseconds(100)), loop.now());
  EXPECT_EQ(awake.on_cpu, milliseconds(100)) << "it never slept, and never waited";
}

TEST(ThreadHistory, WhatComesLateIsLeftOut) {
  ThreadHistory history;
  Life loop;
  loop.pass(Life::kRun, milliseconds(2));
  const auto late = loop.now();
  loop.pass(Life::kRun, milliseconds(2));
  history.note(loop.now());
  history.note(late);
  loop.pass(Life::kRun, milliseconds(2));
  EXPECT_EQ(history.at_least_awake({0}, loop.now()).on_cpu, milliseconds(2));
  EXPECT_EQ(history.at_least_awake({0}, late).on_cpu, Duration::zero());
}

TEST(ThreadHistory, OfUnknownThreadsAndOthersItSaysNothing) {
  ThreadHistory history(1);
  Life loop;
  auto call = loop.now();
  call.thread = 0;
  history.note(call);
  call.thread = 7;
  history.note(call);
  loop.pass(Life::kRun, milliseconds(2));
  EXPECT_EQ(history.at_least_awake({0}, loop.now()).on_cpu, Duration::zero());
  call = loop.now();
  call.cpu_wait_known = false;
  history.note(call);
  loop.pass(Life::kRun, milliseconds(2));
  EXPECT_EQ(history.at_least_awake({0}, loop.now()).on_cpu, Duration::zero());
}

// However a thread lives and whenever a request comes: never more than there was.
TEST(ThreadHistory, NeverSaysMoreThanThereWas) {
  std::mt19937_64 random(20);
  const auto up_to = [&](std::uint64_t most) { return 1 + random() % most; };
  Duration told{};
  Duration there_was{};
  for (int life = 0; life < 2'000; ++life) {
    ThreadHistory history(1);
    Life thread;
    const auto longest = up_to(50'000'000);
    for (int call = 0; call < 60; ++call) {
      for (auto states = up_to(4); states > 0; --states)
        thread.pass(static_cast<Life::State>(random() % 3),
                    Duration(static_cast<std::int64_t>(up_to(longest))));
      const auto since_begin = thread.now().time.ns - 1'000'000'000;
      const auto from = before(thread, Duration(static_cast<std::int64_t>(up_to(since_begin))));
      const auto awake = history.at_least_awake(from, thread.now());
      ASSERT_LE(awake.on_cpu, thread.spent(Life::kRun, from));
      ASSERT_LE(awake.cpu_wait, thread.spent(Life::kWait, from));
      told += awake.on_cpu + awake.cpu_wait;
      there_was += thread.spent(Life::kRun, from) + thread.spent(Life::kWait, from);
      history.note(thread.now());
    }
  }
  EXPECT_GT(told, there_was / 4) << "and it says something";
}

}  // namespace
}  // namespace exa
