// What threads slept on, followed from switch to switch and told with their calls.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include "agent/kernel/thread_sleeps.h"
#include "tests/bpf/capture_fixture.h"
#include "tests/bpf/one_cpu.h"

namespace exa::test {
namespace {

using std::chrono::milliseconds;
using testing::IsEmpty;
using testing::SizeIs;

using SleepTimes = std::array<std::uint64_t, EXA_SLEEP_CAUSES>;

std::uint64_t thread_cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

void sleep_for(milliseconds time) {
  const timespec how_long{.tv_sec = 0, .tv_nsec = time.count() * 1'000'000};
  ::nanosleep(&how_long, nullptr);
}

class Sleeps : public Capture {
 protected:
  void SetUp() override {
    Capture::SetUp();
    start({.call_sleeps = true});
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
    Served served;
    Connection connection;
    send_all(connection.client.get(), kRequest);
    receive(connection.server.get(), kRequest.size());
    const auto cpu_ns = thread_cpu_ns();
    work();
    served.cpu_ns = thread_cpu_ns() - cpu_ns;
    send_all(connection.server.get(), kResponse);
    const auto seen = chunks(connection.server_cookie);
    EXPECT_THAT(seen, SizeIs(2));
    if (seen.size() < 2) return served;
    served.begun = seen[0].event.facts;
    served.ended = seen[1].event.facts;
    served.wall_ns = seen[1].event.header.ktime_ns - seen[0].event.header.ktime_ns;
    for (const auto& event : records<exa_sleeps_event>(EXA_EVENT_SLEEPS, 0)) {
      if (event.thread != served.begun.thread.thread) continue;
      if (event.from_ns < seen[0].event.header.ktime_ns) continue;
      served.told.push_back(event);
      for (std::size_t i = 0; i < EXA_SLEEP_CAUSES; ++i)
        served.asleep_us[i] += event.asleep_us[i];
    }
    return served;
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

// For a time, and then something else happens.
template <typename Release>
std::jthread after_a_while(Release release) {
  return std::jthread([release] {
    sleep_for(milliseconds(31));
    release();
  });
}

TEST_F(Sleeps, OnATimer) {
  expect_asleep(EXA_DOING_TIMER, [] { sleep_for(milliseconds(30)); });
}

TEST_F(Sleeps, OnALock) {
  std::mutex held;
  held.lock();
  expect_asleep(EXA_DOING_LOCK, [&] {
    const auto release = after_a_while([&] { held.unlock(); });
    held.lock();
  });
}

TEST_F(Sleeps, OnAPipe) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const UniqueFd from(ends[0]);
  const UniqueFd to(ends[1]);
  char byte{};
  expect_asleep(EXA_DOING_PIPE, [&] {
    const auto release = after_a_while([&] { EXPECT_EQ(::write(to.get(), "x", 1), 1); });
    EXPECT_EQ(::read(from.get(), &byte, 1), 1);
  });
}

TEST_F(Sleeps, OnASocket) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const UniqueFd from(ends[0]);
  const UniqueFd to(ends[1]);
  char byte{};
  expect_asleep(EXA_DOING_NETWORK, [&] {
    const auto release = after_a_while([&] { EXPECT_EQ(::write(to.get(), "x", 1), 1); });
    EXPECT_EQ(::recv(from.get(), &byte, 1, 0), 1);
  });
}

TEST_F(Sleeps, OnOneOfSeveralDescriptors) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const UniqueFd from(ends[0]);
  const UniqueFd to(ends[1]);
  std::array<pollfd, 2> both{};
  both.fill({.fd = from.get(), .events = POLLIN, .revents = 0});
  expect_asleep(EXA_DOING_EVENTS, [&] {
    EXPECT_EQ(::poll(both.data(), both.size(), 31), 0);
  });
}

TEST_F(Sleeps, OnAChild) {
  expect_asleep(EXA_DOING_CHILD, [] {
    const auto child = ::fork();
    if (child == 0) {
      sleep_for(milliseconds(31));
      ::_exit(0);
    }
    EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  });
}

// None of them is long enough to be looked at.
TEST_F(Sleeps, HoweverShort) {
  const auto served = serve([] {
    for (int i = 0; i < 30; ++i)
      sleep_for(milliseconds(2));
  });
  EXPECT_GE(served.us(EXA_DOING_TIMER), 60'000u);
  EXPECT_LE(served.all_us(), served.wall_ns / 1'000);
}

// Another thread wants the same CPU all the time.
TEST_F(Sleeps, EndWhenTheThreadIsReadyAgain) {
  const OneCpu here(0);
  std::jthread rival([](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
    }
  });
  const auto served = serve([] {
    for (int i = 0; i < 20; ++i)
      sleep_for(milliseconds(3));
  });
  const auto waited_ns = served.ended.thread.cpu_wait_ns - served.begun.thread.cpu_wait_ns;
  const auto asleep_ns = 1'000 * served.all_us();
  EXPECT_GE(asleep_ns, 60'000'000u);
  // What is neither of the three is the little that the calls themselves took.
  EXPECT_NEAR(static_cast<double>(asleep_ns + waited_ns + served.cpu_ns),
              static_cast<double>(served.wall_ns), 1e6);
}

TEST_F(Sleeps, AreToldBeforeTheCallTheyWereBefore) {
  const auto served = serve([] { sleep_for(milliseconds(5)); });
  ASSERT_THAT(served.told, SizeIs(1));
  std::vector<std::uint8_t> order;
  for (const auto& record : records_) {
    const auto header = load<exa_event_header>(record);
    if (header.type == EXA_EVENT_SLEEPS && header.ktime_ns == served.told[0].header.ktime_ns)
      order.push_back(header.type);
    if (header.type == EXA_EVENT_CHUNK && !order.empty()) order.push_back(header.type);
  }
  ASSERT_GE(order.size(), 2u);
  EXPECT_EQ(order[0], EXA_EVENT_SLEEPS);
}

TEST_F(Sleeps, WhoDoesNotSleepTellsNothing) {
  EXPECT_THAT(serve([] {}).told, IsEmpty());
}

TEST_F(Sleeps, WithoutTheProgramAtTheSwitchesNobodyIsFollowed) {
  sleeps_.reset();
  start({.call_sleeps = true});
  const auto served = serve([] { sleep_for(milliseconds(5)); });
  EXPECT_THAT(served.told, IsEmpty());
  EXPECT_FALSE(served.ended.thread.known & EXA_FACTS_SLEEPS);
}

TEST_F(Sleeps, NobodyAsksForThemByDefault) {
  sleeps_.reset();
  start({});
  const auto served = serve([] { sleep_for(milliseconds(5)); });
  EXPECT_THAT(served.told, IsEmpty());
  EXPECT_FALSE(served.ended.thread.known & EXA_FACTS_SLEEPS);
}

}  // namespace
}  // namespace exa::test
