// When it is told what threads slept on, and of which.
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <thread>

#include "tests/bpf/sleeps_fixture.h"
#include "tests/bpf/tls_library.h"

namespace exa::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kTimer = EXA_DOING_TIMER - EXA_DOING_LOCK;

using ToldSleeps = Sleeps;

TEST_F(ToldSleeps, ComeBeforeTheCallThatTheyWereBefore) {
  const auto served = serve([] { sleep_for(milliseconds(5)); });
  ASSERT_THAT(served.told, SizeIs(1));
  const auto index_of = [&](auto is_it) { return std::ranges::find_if(records_, is_it); };
  const auto told = index_of([&](const auto& record) {
    return load<exa_event_header>(record).type == EXA_EVENT_SLEEPS &&
           load<exa_sleeps_event>(record).from_ns == served.told[0].from_ns;
  });
  const auto answer = index_of([&](const auto& record) {
    return load<exa_event_header>(record).type == EXA_EVENT_CHUNK &&
           load<exa_chunk_event>(record).facts.thread.exec_start_ns ==
               served.ended.thread.exec_start_ns &&
           load<exa_chunk_event>(record).direction == EXA_EGRESS;
  });
  ASSERT_NE(answer, records_.end());
  EXPECT_LT(told, answer);
  EXPECT_LE(served.told[0].header.ktime_ns, load<exa_event_header>(*answer).ktime_ns)
      << "as their times do";
}

TEST_F(ToldSleeps, AreNoneOfWhoDoesNotSleep) {
  EXPECT_THAT(serve([] {}).told, IsEmpty());
}

TEST_F(ToldSleeps, AreNoneWithoutTheProgramAtTheSwitches) {
  sleeps_.reset();
  start({.call_sleeps = true});
  const auto served = serve([] { sleep_for(milliseconds(5)); });
  EXPECT_THAT(served.told, IsEmpty());
  EXPECT_FALSE(served.ended.thread.known & EXA_FACTS_SLEEPS);
}

TEST_F(ToldSleeps, AreNoneByDefault) {
  sleeps_.reset();
  start({});
  const auto served = serve([] { sleep_for(milliseconds(5)); });
  EXPECT_THAT(served.told, IsEmpty());
  EXPECT_FALSE(served.ended.thread.known & EXA_FACTS_SLEEPS);
}

// Of this thread, for as long as it lives.
class WithoutRights {
 public:
  WithoutRights() {
    EXPECT_EQ(::syscall(SYS_capget, &header_, all_.data()), 0);
    auto fewer = all_;
    fewer[0].effective = fewer[1].effective = 0;
    EXPECT_EQ(::syscall(SYS_capset, &header_, fewer.data()), 0);
  }
  ~WithoutRights() { ::syscall(SYS_capset, &header_, all_.data()); }
  WithoutRights(const WithoutRights&) = delete;

 private:
  __user_cap_header_struct header_{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> all_{};
};

TEST_F(ToldSleeps, AreNoneWhereTheKernelRefusesThatProgram) {
  sleeps_.reset();
  start({.call_sleeps = true});
  {
    const WithoutRights here;
    const auto refused = kernel::ThreadSleeps::follow(*programs_);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text,
                testing::HasSubstr("refused the program that follows sleeps"));
  }
  const auto served = serve([] { sleep_for(milliseconds(5)); });
  EXPECT_THAT(served.told, IsEmpty());
  EXPECT_TRUE(served.ended.thread.known & EXA_FACTS_THREAD) << "everything else is told";
}

TEST_F(ToldSleeps, AreNoneOfAClient) {
  Connection connection;
  std::jthread client([&] {
    for (int i = 0; i < 3; ++i) {
      sleep_for(milliseconds(3));
      send_all(connection.client.get(), kRequest);
      receive(connection.client.get(), kResponse.size());
    }
  });
  for (int i = 0; i < 3; ++i) {
    receive(connection.server.get(), kRequest.size());
    sleep_for(milliseconds(3));
    send_all(connection.server.get(), kResponse);
  }
  client.join();
  const auto sent = chunks(connection.client_cookie);
  ASSERT_THAT(sent, SizeIs(6));
  EXPECT_THAT(told_by(sent[0].event.facts.thread.thread), IsEmpty());
  for (const auto& chunk : sent)
    EXPECT_FALSE(chunk.event.facts.thread.known & EXA_FACTS_SLEEPS);
  const auto served = chunks(connection.server_cookie);
  EXPECT_THAT(told_by(served.at(0).event.facts.thread.thread), SizeIs(testing::Ge(3u)));
}

TEST_F(ToldSleeps, OfReadsOfABodyComeWithTheAnswer) {
  Connection connection;
  const std::string head = "POST /upload HTTP/1.1\r\nHost: shop\r\nContent-Length: 8000\r\n\r\n" +
                           std::string(5'000, 'x');
  send_all(connection.client.get(), head);
  receive(connection.server.get(), head.size());
  for (int i = 0; i < 3; ++i) {
    sleep_for(milliseconds(2));
    send_all(connection.client.get(), std::string(1'000, 'x'));
    receive(connection.server.get(), 1'000);
  }
  send_all(connection.server.get(), kResponse);
  const auto seen = chunks(connection.server_cookie);
  auto told = told_by(seen.at(0).event.facts.thread.thread);
  std::erase_if(told,
                [&](const auto& event) { return event.from_ns < seen[0].event.header.ktime_ns; });
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_GE(told[0].asleep_us[kTimer], 6'000u);
}

void nap() {
  const timespec how_long{.tv_sec = 0, .tv_nsec = 150'000};
  ::nanosleep(&how_long, nullptr);
}

// Each write of a body tells of a sleep.
TEST_F(ToldSleeps, OfANoisyProcessLeaveRoomForTheOthers) {
  Connection noisy, quiet;
  follow({.event_ring_bytes = 64 << 10,
          .included_ports = {noisy.server_port, quiet.server_port},
          .call_sleeps = true});
  send_all(noisy.client.get(), kRequest);
  receive(noisy.server.get(), kRequest.size());
  send_all(noisy.server.get(),
           "HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + std::string(5'000, 'x'));
  for (int i = 0; i < 1'000; ++i) {
    nap();
    send_all(noisy.server.get(), "x");
  }
  EXPECT_GT(count(EXA_COUNTER_DROPPED_SLEEPS_OVER_SHARE), 100u);
  const pid_t child = ::fork();
  if (child == 0) {
    for (int i = 0; i < 12; ++i) {
      send_all(quiet.client.get(), kRequest);
      receive(quiet.server.get(), kRequest.size());
    }
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_THAT(records<exa_chunk_event>(EXA_EVENT_CHUNK, quiet.client_cookie), SizeIs(12));
  EXPECT_THAT(records<exa_chunk_event>(EXA_EVENT_CHUNK, quiet.server_cookie), SizeIs(12));
}

// So much that not even an account of sleeps fits in any more.
TEST_F(ToldSleeps, ThatFindTheRingFullComeLater) {
  constexpr std::size_t kOthers = 15;
  Connection served;
  std::vector<Connection> others(kOthers);
  kernel::CaptureConfig own{.event_ring_bytes = 4096, .call_sleeps = true};
  own.included_ports.push_back(served.server_port);
  for (const auto& other : others)
    own.included_ports.push_back(other.server_port);
  follow(own);
  std::vector<std::unique_ptr<Child>> children;
  for (const auto& other : others) {
    const auto say = [fd = other.client.get()] { send_all(fd, kRequest); };
    const auto hear = [fd = other.server.get()] { send_all(fd, kResponse); };
    children.push_back(std::make_unique<Child>(std::vector<std::function<void()>>{hear, say}));
    children.back()->step();
    drain();
  }
  send_all(served.client.get(), kRequest);
  receive(served.server.get(), kRequest.size());
  drain();
  for (int i = 0; i < 100; ++i)
    send_all(served.client.get(), kRequest);
  for (const auto& child : children)
    child->step();
  sleep_for(milliseconds(3));
  send_all(served.server.get(), kResponse);
  EXPECT_GT(count(EXA_COUNTER_DROPPED_SLEEPS_RING_FULL), 0u);
  const auto begun = chunks(served.server_cookie).at(0).event;
  EXPECT_THAT(told_by(begun.facts.thread.thread), SizeIs(testing::Le(1u)));

  receive(served.server.get(), kRequest.size());
  const auto next = chunks(served.server_cookie).back().event;
  ASSERT_EQ(next.direction, EXA_INGRESS);
  const auto told = told_by(begun.facts.thread.thread);
  ASSERT_FALSE(told.empty());
  EXPECT_GE(told.back().asleep_us[kTimer], 3'000u);
  EXPECT_LT(told.back().from_ns, told.back().header.ktime_ns);
  EXPECT_LT(told.back().header.ktime_ns, next.header.ktime_ns);
}

TEST_F(ToldSleeps, OfAThreadThatExecutesAnotherProgramAreThatOnes) {
  Connection connection;
  Child child({[&] { receive(connection.server.get(), kRequest.size()); },
               [&] {
                 ::dup2(connection.server.get(), 9);
                 ::execl(
                     "/bin/sh", "sh", "-c",
                     "sleep 0.03; printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n' >&9",
                     nullptr);
               }});
  send_all(connection.client.get(), kRequest);
  child.step();
  child.step();
  receive(connection.client.get(), 38);
  const auto served = served_on(connection);
  EXPECT_NE(served.begun.thread.thread, served.ended.thread.thread);
  EXPECT_GE(served.us(EXA_DOING_CHILD), 29'000u);
  EXPECT_THAT(told_by(served.begun.thread.thread), IsEmpty());
}

class TlsSleeps : public TlsLibrary {
 protected:
  TlsSleeps() { config_.call_sleeps = true; }
  void SetUp() override {
    TlsLibrary::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    auto sleeps = kernel::ThreadSleeps::follow(*programs_);
    ASSERT_TRUE(sleeps) << sleeps.error().text;
    sleeps_.emplace(std::move(*sleeps));
  }
  // By this thread.
  std::vector<exa_sleeps_event> told() {
    auto events = records<exa_sleeps_event>(EXA_EVENT_SLEEPS, 0);
    std::erase_if(events, [](const auto& event) {
      return event.thread >> EXA_THREAD_NUMBER_BITS != static_cast<std::uint32_t>(::gettid());
    });
    return events;
  }
  std::optional<kernel::ThreadSleeps> sleeps_;
};

TEST_F(TlsSleeps, AreToldOfServersAlone) {
  write(1, kResponse);
  write(2, kRequest);
  sleep_for(milliseconds(3));
  // As many bytes again would be a second try.
  write(2, "GET /cart HTTP/1.1\r\n\r\n");
  EXPECT_THAT(told(), IsEmpty());
  write(1, "HTTP/1.1 204 No Content\r\n\r\n");
  ASSERT_THAT(told(), SizeIs(1));
  EXPECT_GE(told()[0].asleep_us[kTimer], 3'000u);
}

}  // namespace
}  // namespace exa::test
