#include "exporters/console/buffered_output.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <deque>
#include <string>
#include <utility>

#include "exa/base/signals_blocked.h"
#include "exa/base/unique_fd.h"

namespace exa {

using namespace std::chrono_literals;

struct BufferedOutput::Shared {
  struct Print {
    std::string text;
    Settled settled;
    bool frame = false;
    bool begun = false;
  };

  explicit Shared(int descriptor) : fd(descriptor), wake(::eventfd(0, EFD_CLOEXEC)) {}

  // Under the mutex. All that follow are lost.
  void settle_all(bool were_written) {
    for (auto& print : prints)
      if (auto settled = std::exchange(print.settled, {})) settled(were_written);
  }
  [[nodiscard]] Clock::time_point stopped_at() const { return progress + kStopped; }

  const int fd;
  const UniqueFd wake;  // readable: abandoned
  std::mutex mutex;
  std::condition_variable work;
  std::condition_variable moved;
  std::deque<Print> prints;
  std::size_t bytes = 0;      // of prints
  std::uint64_t taken = 0;    // prints
  std::uint64_t written = 0;  // prints
  Clock::time_point progress = Clock::now();
  std::uint64_t lost = 0;             // prints
  std::uint64_t lost_this_stall = 0;  // not 0: said, and its end is to be said
  int error = 0;
  bool closed = false;
  bool abandoned = false;
  bool ended = false;
};

BufferedOutput::BufferedOutput(int fd, ExportCounters& counters, LogSink sink)
    : counters_(counters), sink_(std::move(sink)), shared_(std::make_shared<Shared>(fd)) {
  const SignalsBlocked blocked;  // inherited by the thread
  thread_ = std::thread([shared = shared_] { run(*shared); });
}

void BufferedOutput::run(Shared& shared) {
  pthread_setname_np(pthread_self(), "stdout");
  std::unique_lock lock(shared.mutex);
  std::size_t offset = 0;  // into the first print
  for (;;) {
    shared.work.wait(lock,
                     [&] { return !shared.prints.empty() || shared.closed || shared.abandoned; });
    if (shared.prints.empty() || shared.abandoned || shared.error != 0) break;
    auto& print = shared.prints.front();
    print.begun = true;
    // O_NONBLOCK would be everybody's who shares the descriptor. So little never waits in a pipe
    // that is ready; on a terminal it may, which is why this thread may be left behind.
    const auto size = std::min<std::size_t>(print.text.size() - offset, PIPE_BUF);
    const char* const begin = print.text.data() + offset;
    lock.unlock();
    pollfd ready[] = {{.fd = shared.fd, .events = POLLOUT, .revents = 0},
                      {.fd = shared.wake.get(), .events = POLLIN, .revents = 0}};
    const bool writable =
        ::poll(ready, 2, -1) > 0 && ready[0].revents != 0 && ready[1].revents == 0;
    const ssize_t written = writable ? ::write(shared.fd, begin, size) : 0;
    const int error = written < 0 && errno != EAGAIN && errno != EINTR ? errno : 0;
    lock.lock();
    if (shared.abandoned) break;
    if (error != 0) {
      shared.error = error;
      shared.settle_all(false);
    } else if (written > 0) {
      offset += static_cast<std::size_t>(written);
      shared.progress = Clock::now();
      if (offset == print.text.size()) {
        offset = 0;
        shared.bytes -= print.text.size();
        ++shared.written;
        if (print.settled) print.settled(true);
        shared.prints.pop_front();
      }
    }
    shared.moved.notify_all();
  }
  shared.ended = true;
  shared.moved.notify_all();
}

Printed BufferedOutput::write(std::string text, Settled settled, Clock::time_point deadline) {
  auto& shared = *shared_;
  std::unique_lock lock(shared.mutex);
  const bool full = shared.bytes >= kBound;
  if (shared.error != 0 || shared.closed || full) {
    if (full) {
      counters_.add(ExportCounter::kOutputLost);
      ++shared.lost;
    }
    if (settled) settled(false);
    const bool first = full && shared.lost_this_stall++ == 0;
    lock.unlock();
    if (first) say_what_was_lost(true);
    return Printed::kLost;
  }
  if (text.empty()) {
    if (settled) settled(true);
    return Printed::kWritten;
  }
  if (shared.prints.empty()) shared.progress = Clock::now();
  shared.bytes += text.size();
  shared.prints.push_back({.text = std::move(text), .settled = std::move(settled)});
  const auto number = ++shared.taken;
  shared.work.notify_one();
  // Only once it is well emptied: a reader who is just too slow is not told of at each print.
  const bool goes_on = shared.lost_this_stall != 0 && shared.bytes < kBound / 2;
  if (goes_on) {
    lock.unlock();
    say_what_was_lost(false);
    lock.lock();
  }
  const auto decided = [&] { return shared.written >= number || shared.error != 0; };
  while (!decided()) {
    const auto now = Clock::now();
    if (now >= deadline || now >= shared.stopped_at()) return Printed::kWaiting;
    shared.moved.wait_until(lock, std::min(deadline, shared.stopped_at()));
  }
  return shared.written >= number ? Printed::kWritten : Printed::kLost;
}

void BufferedOutput::draw(std::string frame) {
  auto& shared = *shared_;
  const std::lock_guard lock(shared.mutex);
  if (shared.error != 0 || shared.closed || frame.empty()) return;
  if (!shared.prints.empty() && shared.prints.back().frame && !shared.prints.back().begun) {
    auto& waiting = shared.prints.back();
    shared.bytes += frame.size() - waiting.text.size();
    waiting.text = std::move(frame);
    counters_.add(ExportCounter::kOutputSuperseded);
    return;
  }
  if (shared.prints.empty()) shared.progress = Clock::now();
  shared.bytes += frame.size();
  shared.prints.push_back({.text = std::move(frame), .settled = {}, .frame = true});
  ++shared.taken;
  shared.work.notify_one();
}

void BufferedOutput::say_what_was_lost(bool lost_now) {
  std::uint64_t lost = 0;
  if (!lost_now) {
    const std::lock_guard lock(shared_->mutex);
    lost = std::exchange(shared_->lost_this_stall, 0);
  }
  if (!sink_) return;
  if (lost_now)
    sink_(LogLevel::kWarning,
          "standard output is not being read and its buffer is full: further output is lost, all "
          "other exports continue; resume its reader (Ctrl-Q on a terminal), or run with "
          "--output none");
  else
    sink_(LogLevel::kInfo,
          "standard output is being read again; prints lost meanwhile: " + std::to_string(lost));
}

int BufferedOutput::error() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->error;
}

void BufferedOutput::shutdown(Clock::time_point deadline) {
  auto& shared = *shared_;
  std::unique_lock lock(shared.mutex);
  if (!thread_.joinable()) return;
  shared.closed = true;
  shared.work.notify_one();
  shared.progress = std::max(shared.progress, Clock::now());
  while (!shared.prints.empty() && shared.error == 0 && !shared.ended) {
    const auto until = std::min(deadline, shared.stopped_at());
    if (Clock::now() >= until) break;
    shared.moved.wait_until(lock, until);
  }
  if (shared.error == 0 && !shared.prints.empty()) {
    counters_.add(ExportCounter::kOutputLost, shared.prints.size());
    shared.lost += shared.prints.size();
    shared.settle_all(false);
  }
  if (shared.error == 0 && shared.lost != 0) shared.error = ETIMEDOUT;
  shared.abandoned = true;
  (void)::eventfd_write(shared.wake.get(), 1);
  // In a write that blocks it hears of nothing.
  const bool ended = shared.moved.wait_for(lock, 100ms, [&] { return shared.ended; });
  lock.unlock();
  if (ended)
    thread_.join();
  else
    thread_.detach();
}

}  // namespace exa
