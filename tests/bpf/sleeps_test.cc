// What threads slept on, followed from switch to switch.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <latch>
#include <mutex>
#include <thread>

#include "tests/bpf/one_cpu.h"
#include "tests/bpf/sleeps_fixture.h"

namespace exa::test {
namespace {

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
  expect_asleep(EXA_DOING_EVENTS, [&] { EXPECT_EQ(::poll(both.data(), both.size(), 31), 0); });
}

TEST_F(Sleeps, OnAnEpoll) {
  const UniqueFd events(::epoll_create1(0));
  epoll_event event{};
  expect_asleep(EXA_DOING_EVENTS, [&] { EXPECT_EQ(::epoll_wait(events.get(), &event, 1, 31), 0); });
}

// It writes to a file what is not in memory yet, and gets there only then.
TEST_F(Sleeps, OnAFile) {
  const UniqueFd faults(static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC)));
  if (!faults.valid()) GTEST_SKIP() << "this kernel has no userfaultfd";
  const auto page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  uffdio_api api{.api = UFFD_API, .features = 0, .ioctls = 0};
  ASSERT_EQ(::ioctl(faults.get(), UFFDIO_API, &api), 0);
  void* const page =
      ::mmap(nullptr, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  const uffdio_range range{.start = reinterpret_cast<std::uintptr_t>(page), .len = page_bytes};
  uffdio_register whole{.range = range, .mode = UFFDIO_REGISTER_MODE_MISSING, .ioctls = 0};
  ASSERT_EQ(::ioctl(faults.get(), UFFDIO_REGISTER, &whole), 0);
  const UniqueFd file(::memfd_create("exa_sleeps", MFD_CLOEXEC));
  expect_asleep(EXA_DOING_DISK, [&] {
    const auto release = after_a_while([&] {
      uffdio_zeropage zeroes{.range = range, .mode = 0, .zeropage = 0};
      EXPECT_EQ(::ioctl(faults.get(), UFFDIO_ZEROPAGE, &zeroes), 0);
    });
    EXPECT_EQ(::write(file.get(), page, page_bytes), static_cast<ssize_t>(page_bytes));
  });
  ::munmap(page, page_bytes);
}

// Another process serves, and is stopped meanwhile.
TEST_F(Sleeps, OfAProcessThatIsStopped) {
  Connection connection;
  Child child({[&] { receive(connection.server.get(), kRequest.size()); },
               [&] { send_all(connection.server.get(), kResponse); }});
  send_all(connection.client.get(), kRequest);
  child.step();
  ASSERT_EQ(::kill(child.pid(), SIGSTOP), 0);
  sleep_for(milliseconds(31));
  ASSERT_EQ(::kill(child.pid(), SIGCONT), 0);
  child.step();
  const auto served = served_on(connection);
  EXPECT_GE(served.us(EXA_DOING_STOP), 29'000u);
  EXPECT_LE(served.all_us(), served.wall_ns / 1'000);
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
  // What is none of the three is the little that the calls themselves took; but one of them may be
  // preempted, and now and then the kernel does not tell of a switch.
  std::int64_t left_ns = INT64_MAX;
  for (int attempt = 0; attempt < 5 && std::abs(left_ns) > 1'000'000; ++attempt) {
    const auto served = serve([] {
      for (int i = 0; i < 20; ++i)
        sleep_for(milliseconds(3));
    });
    const auto waited_ns = served.ended.thread.cpu_wait_ns - served.begun.thread.cpu_wait_ns;
    const auto asleep_ns = 1'000 * served.all_us();
    left_ns = static_cast<std::int64_t>(served.wall_ns - asleep_ns - waited_ns - served.cpu_ns);
  }
  EXPECT_LE(std::abs(left_ns), 1'000'000);
}

// Of this thread.
void run_before_all_others_on(std::size_t cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  EXPECT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  const sched_param first{.sched_priority = 1};
  EXPECT_EQ(::sched_setscheduler(0, SCHED_FIFO, &first), 0);
}

// When it is ready its CPU is taken, and it is moved to another one before it gets any.
TEST_F(Sleeps, EndWhenTheThreadIsReadyAgainOnWhicheverCpu) {
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "there is no other CPU";
  const OneCpu here(0);
  const auto self = ::gettid();
  const auto served = serve([&] {
    std::latch together(3);
    std::jthread rival([&] {
      run_before_all_others_on(0);
      together.arrive_and_wait();
      sleep_for(milliseconds(1));
      const auto until_ns = monotonic_ns() + 14'000'000;
      while (monotonic_ns() < until_ns) {
      }
    });
    std::jthread mover([&] {
      run_before_all_others_on(1);
      together.arrive_and_wait();
      sleep_for(milliseconds(10));
      cpu_set_t other;
      CPU_ZERO(&other);
      CPU_SET(1, &other);
      EXPECT_EQ(::sched_setaffinity(self, sizeof other, &other), 0);
    });
    together.arrive_and_wait();
    sleep_for(milliseconds(3));
    mover.join();
  });
  const auto waited_ns = served.ended.thread.cpu_wait_ns - served.begun.thread.cpu_wait_ns;
  EXPECT_GE(waited_ns, 5'000'000u);
  EXPECT_GE(served.us(EXA_DOING_TIMER), 3'000u);
  EXPECT_LE(served.us(EXA_DOING_TIMER), 5'000u);
}

}  // namespace
}  // namespace exa::test
