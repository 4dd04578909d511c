// A thread that serves a request, and what it is told to have slept on meanwhile.
#pragma once

#include <sys/socket.h>
#include <time.h>

#include <array>
#include <chrono>
#include <functional>
#include <numeric>
#include <optional>
#include <vector>

#include "agent/kernel/thread_sleeps.h"
#include "tests/bpf/capture_fixture.h"

namespace exa::test {

using std::chrono::milliseconds;
using SleepTimes = std::array<std::uint64_t, EXA_SLEEP_CAUSES>;

inline std::uint64_t thread_cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

inline void sleep_for(milliseconds time) {
  const timespec how_long{.tv_sec = 0, .tv_nsec = time.count() * 1'000'000};
  ::nanosleep(&how_long, nullptr);
}

class Sleeps : public Capture {
 protected:
  void SetUp() override {
    Capture::SetUp();
    if (!IsSkipped()) follow({.call_sleeps = true});
  }
  void follow(const kernel::CaptureConfig& config) {
    sleeps_.reset();
    start(config);
    if (HasFatalFailure()) return;
    auto sleeps = kernel::ThreadSleeps::follow(*programs_);
    ASSERT_TRUE(sleeps) << sleeps.error().text;
    sleeps_.emplace(std::move(*sleeps));
  }

  // This thread reads a request, does that and answers.
  struct Served {
    exa_call_facts begun;
    exa_call_facts ended;
    std::uint64_t cpu_ns = 0;
    std::uint64_t wall_ns = 0;
    std::vector<exa_sleeps_event> told;  // after the read, with the answer
    SleepTimes asleep_us{};
    [[nodiscard]] std::uint64_t all_us() const {
      return std::accumulate(asleep_us.begin(), asleep_us.end(), std::uint64_t{0});
    }
    [[nodiscard]] std::uint64_t us(std::uint32_t doing) const {
      return asleep_us[doing - EXA_DOING_LOCK];
    }
  };
  Served serve(const std::function<void()>& work) {
    Connection connection;
    send_all(connection.client.get(), kRequest);
    receive(connection.server.get(), kRequest.size());
    const auto cpu_ns = thread_cpu_ns();
    work();
    const auto spent_ns = thread_cpu_ns() - cpu_ns;
    send_all(connection.server.get(), kResponse);
    auto served = served_on(connection);
    served.cpu_ns = spent_ns;
    return served;
  }
  // Whoever it was.
  Served served_on(const Connection& connection) {
    Served served;
    const auto seen = records<exa_chunk_event>(EXA_EVENT_CHUNK, connection.server_cookie);
    EXPECT_THAT(seen, testing::SizeIs(2));
    if (seen.size() < 2) return served;
    served.begun = seen[0].facts;
    served.ended = seen[1].facts;
    served.wall_ns = seen[1].header.ktime_ns - seen[0].header.ktime_ns;
    for (const auto& event : told_by(served.ended.thread.thread)) {
      if (event.from_ns < seen[0].header.ktime_ns) continue;
      served.told.push_back(event);
      for (std::size_t i = 0; i < EXA_SLEEP_CAUSES; ++i)
        served.asleep_us[i] += event.asleep_us[i];
    }
    return served;
  }
  std::vector<exa_sleeps_event> told_by(std::uint32_t thread) {
    auto told = records<exa_sleeps_event>(EXA_EVENT_SLEEPS, 0);
    std::erase_if(told, [&](const auto& event) { return event.thread != thread; });
    return told;
  }

  // Of so long a sleep that, and as good as nothing else.
  void expect_asleep(std::uint32_t doing, const std::function<void()>& work) {
    const auto served = serve(work);
    EXPECT_GE(served.us(doing), 29'000u);
    EXPECT_LE(served.all_us(), served.wall_ns / 1'000);
    EXPECT_LE(served.all_us() - served.us(doing), 2'000u);
    EXPECT_TRUE(served.begun.thread.known & EXA_FACTS_SLEEPS);
  }

  std::optional<kernel::ThreadSleeps> sleeps_;
};

}  // namespace exa::test
