// What threads are seen to do: each waits for something that only it waits for.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <functional>
#include <mutex>
#include <thread>

#include "agent/kernel/thread_look.h"
#include "exa/abi/sleep.h"
#include "tests/bpf/capture_fixture.h"

namespace exa::test {
namespace {

class Look : public Capture {
 protected:
  void SetUp() override {
    Capture::SetUp();
    auto look = kernel::ThreadLook::load(*programs_, {});
    ASSERT_TRUE(look) << look.error().text;
    look_.emplace(std::move(*look));
    struct sigaction interrupts{};
    interrupts.sa_handler = [](int) {};
    ASSERT_EQ(::sigaction(SIGUSR1, &interrupts, nullptr), 0);
  }

  std::vector<exa_look_event> looks_of(std::uint32_t thread) {
    std::vector<exa_look_event> found;
    for (const auto& event : records<exa_look_event>(EXA_EVENT_LOOK, 0))
      if (event.thread == thread) found.push_back(event);
    return found;
  }

  // What a thread is seen to do while it waits; release ends that, or a signal does.
  std::uint32_t seen_while(const std::function<void()>& wait,
                           const std::function<void()>& release = {}) {
    Connection connection;
    std::atomic<pid_t> waiting = 0;
    std::jthread thread([&] {
      send_all(connection.client.get(), kRequest);
      waiting = ::gettid();
      wait();
    });
    EXPECT_TRUE(eventually([&] { return !chunks(connection.client_cookie).empty(); }));
    const auto sent = chunks(connection.client_cookie);
    if (sent.empty()) return EXA_DOINGS;
    const auto number = sent[0].event.facts.thread.thread;
    std::uint32_t doing = EXA_DOING_RUN;
    // On the way there it may be in other calls, and wait for a CPU in them: on a crowded machine
    // for many looks, but not asleep.
    int in_a_row = 0;
    EXPECT_TRUE(eventually([&] {
      if (waiting == 0 || !sleeps(waiting)) return false;
      EXPECT_TRUE(look_->at(std::array{number}));
      const auto looks = looks_of(number);
      if (looks.empty()) return false;
      in_a_row = looks.back().doing == doing ? in_a_row + 1 : 0;
      doing = looks.back().doing;
      return doing != EXA_DOING_RUN && in_a_row >= 20;
    }));
    if (release)
      release();
    else
      ::pthread_kill(thread.native_handle(), SIGUSR1);
    return doing;
  }

  std::optional<kernel::ThreadLook> look_;
};

TEST_F(Look, ALock) {
  std::mutex lock;
  lock.lock();
  EXPECT_EQ(seen_while([&] { const std::lock_guard locked(lock); }, [&] { lock.unlock(); }),
            EXA_DOING_LOCK);
}

TEST_F(Look, ATimer) {
  const timespec minute{.tv_sec = 60, .tv_nsec = 0};
  EXPECT_EQ(seen_while([&] { EXPECT_EQ(::nanosleep(&minute, nullptr), -1); }), EXA_DOING_TIMER);
}

TEST_F(Look, APipe) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  char byte{};
  EXPECT_EQ(seen_while([&] { EXPECT_EQ(::read(from.get(), &byte, 1), 0); }, [&] { to.reset(); }),
            EXA_DOING_PIPE);
}

TEST_F(Look, ASocket) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  char byte{};
  EXPECT_EQ(seen_while([&] { EXPECT_EQ(::read(from.get(), &byte, 1), 0); }, [&] { to.reset(); }),
            EXA_DOING_NETWORK);
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const UniqueFd other_from(ends[0]);
  to.reset(ends[1]);
  EXPECT_EQ(
      seen_while([&] { EXPECT_EQ(::recv(other_from.get(), &byte, 1, 0), 0); }, [&] { to.reset(); }),
      EXA_DOING_NETWORK);
}

TEST_F(Look, OneOfSeveral) {
  const UniqueFd events(::epoll_create1(0));
  epoll_event event{};
  EXPECT_EQ(seen_while([&] { EXPECT_EQ(::epoll_wait(events.get(), &event, 1, 60'000), -1); }),
            EXA_DOING_EPOLL);
  const pollfd descriptor{.fd = events.get(), .events = POLLIN, .revents = 0};
  std::array two{descriptor, descriptor};
  EXPECT_EQ(seen_while([&] { EXPECT_EQ(::poll(two.data(), 2, 60'000), -1); }), EXA_DOING_EVENTS);
  EXPECT_EQ(seen_while([&] { EXPECT_EQ(::poll(two.data(), 1, 60'000), -1); }), EXA_DOING_POLL_ONE);
}

TEST_F(Look, NothingButTime) {
  EXPECT_EQ(seen_while([] { EXPECT_EQ(::poll(nullptr, 0, 60'000), -1); }), EXA_DOING_TIMER);
  timeval minute{.tv_sec = 60, .tv_usec = 0};
  EXPECT_EQ(seen_while([&] { EXPECT_EQ(::select(0, nullptr, nullptr, nullptr, &minute), -1); }),
            EXA_DOING_TIMER);
}

TEST_F(Look, AFifoThatNobodyHasOpened) {
  const auto path = testing::TempDir() + "exa_look_fifo";
  ::unlink(path.c_str());
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  UniqueFd opened;
  EXPECT_EQ(seen_while([&] { opened.reset(::open(path.c_str(), O_RDONLY)); },
                       [&] { const UniqueFd other(::open(path.c_str(), O_WRONLY)); }),
            EXA_DOING_OTHER);
  ::unlink(path.c_str());
}

// Another process serves, and is stopped meanwhile.
TEST_F(Look, AStop) {
  Connection connection;
  Child child({[&] { send_all(connection.client.get(), kRequest); }});
  child.step();
  EXPECT_TRUE(eventually([&] {
    drain();
    return std::ranges::any_of(records_, [&](const auto& record) {
      const auto header = load<exa_event_header>(record);
      return header.type == EXA_EVENT_CHUNK && header.tgid == child.tgid();
    });
  }));
  std::uint32_t number = 0;
  for (const auto& record : records_)
    if (const auto header = load<exa_event_header>(record);
        header.type == EXA_EVENT_CHUNK && header.tgid == child.tgid())
      number = load<exa_chunk_event>(record).facts.thread.thread;
  ASSERT_EQ(::kill(child.pid(), SIGSTOP), 0);
  EXPECT_TRUE(eventually([&] {
    EXPECT_TRUE(look_->at(std::array{number}));
    const auto looks = looks_of(number);
    return !looks.empty() && looks.back().doing == EXA_DOING_STOP;
  }));
  EXPECT_EQ(::kill(child.pid(), SIGCONT), 0);
}

TEST_F(Look, AChild) {
  std::atomic<pid_t> child{0};
  const auto wait = [&] {
    child = ::fork();
    if (child == 0) {
      ::pause();
      ::_exit(0);
    }
    EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  };
  // A thread that has not come as far yet has no child, and 0 would be this process itself.
  const auto end = [&] {
    if (eventually([&] { return child != 0; }) && child > 0) ::kill(child, SIGKILL);
  };
  EXPECT_EQ(seen_while(wait, end), EXA_DOING_CHILD);
}

TEST_F(Look, OfNobodyNothingIsTold) {
  const auto before = count(EXA_COUNTER_EMITTED_LOOK);
  ASSERT_TRUE(look_->at(std::array{0u, 1u, UINT32_MAX}));
  EXPECT_EQ(count(EXA_COUNTER_EMITTED_LOOK), before);
}

}  // namespace
}  // namespace exa::test
