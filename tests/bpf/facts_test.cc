// The facts of the calls that moved bytes: those of the thread that made them and of their socket.
#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/bpf/capture_fixture.h"
#include "tests/bpf/one_cpu.h"

namespace exa::test {
namespace {

using std::chrono::milliseconds;
using testing::SizeIs;

std::uint64_t thread_cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t process_cpu_ns(pid_t process) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

rusage of_this_thread() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage;
}

void burn(milliseconds time) {
  const auto until = thread_cpu_ns() + static_cast<std::uint64_t>(time.count()) * 1'000'000;
  while (thread_cpu_ns() < until) {
  }
}

class Facts : public Capture {
 protected:
  // What happens between the read of a request and its answer, by the facts of both calls.
  struct Between {
    exa_call_facts begun;
    exa_call_facts ended;
  };
  template <typename Work>
  Between between(Work work) {
    Connection connection;
    send_all(connection.client.get(), kRequest);
    receive(connection.server.get(), kRequest.size());
    work();
    send_all(connection.server.get(), kResponse);
    const auto seen = chunks(connection.server_cookie);
    EXPECT_THAT(seen, SizeIs(2));
    return seen.size() < 2 ? Between{} : Between{seen[0].event.facts, seen[1].event.facts};
  }
};

TEST_F(Facts, AreThoseOfTheThread) {
  const auto usage = of_this_thread();
  const auto [begun, ended] = between([] {});
  EXPECT_NE(begun.thread.thread, 0u);
  EXPECT_EQ(ended.thread.thread, begun.thread.thread);
  EXPECT_EQ(begun.thread.known,
            unsigned{EXA_FACTS_THREAD | EXA_FACTS_CPU_WAIT | EXA_FACTS_THROTTLE | EXA_FACTS_SOCKET |
                     EXA_FACTS_MAY_SLEEP});
  EXPECT_GE(begun.thread.voluntary_switches, static_cast<__u32>(usage.ru_nvcsw));
  EXPECT_GE(begun.thread.minor_faults, static_cast<__u32>(usage.ru_minflt));
  EXPECT_LE(ended.thread.minor_faults, static_cast<__u32>(of_this_thread().ru_minflt));
}

// As event loops read, and those who serve one request at a time.
TEST_F(Facts, TellHowAReadWaits) {
  const auto ways = [this](int socket_flags, int call_flags, bool polled) {
    Connection connection;
    const int server = connection.server.get();
    EXPECT_EQ(::fcntl(server, F_SETFL, socket_flags), 0);
    const UniqueFd set(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event wanted{.events = EPOLLIN, .data = {}};
    if (polled) {
      EXPECT_EQ(::epoll_ctl(set.get(), EPOLL_CTL_ADD, server, &wanted), 0);
    }
    send_all(connection.client.get(), kRequest);
    std::string room(kRequest.size(), ' ');
    EXPECT_EQ(::recv(server, room.data(), room.size(), call_flags), std::ssize(room));
    const auto seen = chunks(connection.server_cookie);
    return seen.empty() ? 0u
                        : seen[0].event.facts.thread.known &
                              unsigned{EXA_FACTS_MAY_SLEEP | EXA_FACTS_POLLED};
  };
  EXPECT_EQ(ways(0, 0, false), unsigned{EXA_FACTS_MAY_SLEEP});
  EXPECT_EQ(ways(0, MSG_DONTWAIT, false), 0u);
  EXPECT_EQ(ways(O_NONBLOCK, 0, false), 0u);
  EXPECT_EQ(ways(O_NONBLOCK, 0, true), unsigned{EXA_FACTS_POLLED});
  EXPECT_EQ(ways(0, 0, true), unsigned{EXA_FACTS_MAY_SLEEP | EXA_FACTS_POLLED});
}

TEST_F(Facts, AreOfAnotherThreadInAnotherThread) {
  __u32 inner = 0;
  std::jthread([&] { inner = between([] {}).begun.thread.thread; }).join();
  EXPECT_NE(between([] {}).begun.thread.thread, inner);
}

// Clocks of different CPUs' run queues may be seconds apart.
TEST_F(Facts, ShowTimeOnACpu) {
  Child other({[] { burn(milliseconds(5)); }});
  const OneCpu pinned(::sched_getcpu());
  const auto [begun, ended] = between([&] {
    burn(milliseconds(50));
    other.step();  // to wait for it brings the time up to date
  });
  EXPECT_GE(ended.thread.on_cpu_ns - begun.thread.on_cpu_ns, 50'000'000u);
  EXPECT_GT(ended.thread.exec_start_ns, begun.thread.exec_start_ns);
}

TEST_F(Facts, ShowSleep) {
  Child other({[] { burn(milliseconds(20)); }});
  const auto [begun, ended] = between([&] { other.step(); });
  EXPECT_GE(ended.thread.voluntary_switches - begun.thread.voluntary_switches, 1u);
}

TEST_F(Facts, ShowPageFaults) {
  const auto [begun, ended] = between([] {
    std::vector<char> memory(64 << 20, 'x');
    asm volatile("" : : "r"(memory.data()) : "memory");
  });
  // The least that 64 MiB need: with huge pages one for each 2 MiB.
  EXPECT_GE(ended.thread.minor_faults - begun.thread.minor_faults, 32u);
}

TEST_F(Facts, ShowWaitingForACpu) {
  const OneCpu pinned(0);
  Child rival({[] {
    for (;;)
      burn(milliseconds(1'000));
  }});
  std::jthread starter([&] { rival.step(); });  // never returns while the rival runs
  EXPECT_TRUE(eventually([&] { return process_cpu_ns(rival.pid()) > 1'000'000; }));
  const auto [begun, ended] = between([] { burn(milliseconds(50)); });
  ::kill(rival.pid(), SIGKILL);
  EXPECT_GE(ended.thread.cpu_wait_ns - begun.thread.cpu_wait_ns, 20'000'000u);
}

TEST_F(Facts, OnlyTheFirstBytesOfAClientTellHowLongItTookToConnect) {
  const auto before = std::chrono::steady_clock::now();
  Connection connection;
  const auto most = std::chrono::steady_clock::now() - before;
  for (int i = 0; i < 2; ++i) {
    send_all(connection.client.get(), kRequest);
    receive(connection.server.get(), kRequest.size());
    send_all(connection.server.get(), kResponse);
    receive(connection.client.get(), kResponse.size());
  }
  const auto client = chunks(connection.client_cookie);
  ASSERT_THAT(client, SizeIs(4));
  const std::chrono::microseconds told(client[0].event.facts.socket.connect_us);
  EXPECT_GT(told.count(), 0);
  EXPECT_LE(told, most);
  for (std::size_t i = 1; i < client.size(); ++i)
    EXPECT_EQ(client[i].event.facts.socket.connect_us, 0u) << i;
  for (const auto& chunk : chunks(connection.server_cookie))
    EXPECT_EQ(chunk.event.facts.socket.connect_us, 0u);
}

TEST_F(Facts, AreNotTakenWhereNobodyWantsThem) {
  start({.call_facts = false});
  const auto [begun, ended] = between([] {});
  EXPECT_EQ(begun.thread.known, 0u);
  EXPECT_EQ(ended.thread.known, 0u);
}

using LastCall = Capture;

std::string head_of(std::size_t body_bytes) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n\r\n";
}

// What nobody has to be told at once is told with what follows.
TEST_F(LastCall, OfALongAnswerIsToldWithTheNextRequest) {
  Connection connection;
  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());
  send_all(connection.server.get(), head_of(30'000));
  const std::string third(10'000, 'x');
  for (int i = 0; i < 3; ++i)
    send_all(connection.server.get(), third);
  const auto last_ns = monotonic_ns();
  const auto expected = head_of(30'000).size() + 30'000;
  for (std::size_t left = expected; left > 0;) {  // and read in several calls, too
    const auto piece = std::min<std::size_t>(left, 8'000);
    receive(connection.client.get(), piece);
    left -= piece;
  }
  EXPECT_THAT(records<exa_last_call_event>(EXA_EVENT_LAST_CALL, connection.server_cookie),
              SizeIs(0));

  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());
  const auto told = records<exa_last_call_event>(EXA_EVENT_LAST_CALL, connection.server_cookie);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].direction, unsigned{EXA_EGRESS});
  EXPECT_EQ(told[0].facts.thread.thread,
            chunks(connection.server_cookie)[0].event.facts.thread.thread);
  EXPECT_LE(told[0].last_byte_ns, last_ns);
  EXPECT_GE(told[0].last_byte_ns, last_ns - 1'000'000);
  const auto seen = chunks(connection.server_cookie, EXA_INGRESS);
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(seen[1].event.other.last_byte_ns, told[0].last_byte_ns) << "the answer's end";
  // At the client's end the direction of answers is the other one.
  const auto read = records<exa_last_call_event>(EXA_EVENT_LAST_CALL, connection.client_cookie);
  ASSERT_THAT(read, SizeIs(1));
  EXPECT_EQ(read[0].direction, unsigned{EXA_INGRESS});
}

TEST_F(LastCall, IsToldBeforeTheEnd) {
  Connection connection;
  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());
  send_all(connection.server.get(), head_of(20'000));
  for (int i = 0; i < 2; ++i)
    send_all(connection.server.get(), std::string(10'000, 'x'));
  connection.server.reset();
  drain();
  std::vector<int> order;
  for (const auto& record : records_) {
    const auto header = load<exa_event_header>(record);
    if (header.socket_id == connection.server_cookie) order.push_back(header.type);
  }
  EXPECT_THAT(order, testing::ElementsAre(EXA_EVENT_SOCKET, EXA_EVENT_CHUNK, EXA_EVENT_CHUNK,
                                          EXA_EVENT_CHUNK, EXA_EVENT_LAST_CALL, EXA_EVENT_END))
      << "the request, the head, the first of the body; what was left; the end";
}

TEST_F(LastCall, OfARequestsBodyIsNotTold) {
  Connection connection;
  send_all(connection.client.get(),
           "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 20000\r\n\r\n");
  send_all(connection.client.get(), std::string(20'000, 'x'));
  receive(connection.server.get(), 20'054);
  send_all(connection.server.get(), kResponse);
  receive(connection.client.get(), kResponse.size());
  for (const auto cookie : {connection.client_cookie, connection.server_cookie})
    EXPECT_THAT(records<exa_last_call_event>(EXA_EVENT_LAST_CALL, cookie), SizeIs(0));
}

}  // namespace
}  // namespace exa::test
