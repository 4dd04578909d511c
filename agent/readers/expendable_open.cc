#include "agent/readers/expendable_open.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

namespace exa {

struct ExpendableOpen::Worker {
  struct Task {
    UniqueFd folder;
    std::string name;
    int flags = 0;
  };
  struct Outcome {
    UniqueFd fd;
    int error = 0;
  };

  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Task> task;
  std::optional<Outcome> outcome;
  bool dismissed = false;  // finishes what it has, and ends
  bool ended = false;

  static void run(const std::shared_ptr<Worker>& self) {
    ::pthread_setname_np(::pthread_self(), "open");
    std::unique_lock lock(self->mutex);
    for (;;) {
      self->changed.wait(lock, [&] { return self->task || self->dismissed; });
      if (!self->task) break;
      const Task task = std::move(*self->task);
      self->task.reset();
      lock.unlock();
      Outcome outcome{.fd = UniqueFd(::openat(task.folder.get(), task.name.c_str(), task.flags))};
      outcome.error = errno;
      lock.lock();
      if (!self->dismissed) self->outcome = std::move(outcome);
      self->changed.notify_all();
    }
    self->ended = true;
  }

  void dismiss() {
    const std::lock_guard lock(mutex);
    dismissed = true;
    changed.notify_all();
  }
};

ExpendableOpen::~ExpendableOpen() {
  if (worker_) worker_->dismiss();
}

std::optional<UniqueFd> ExpendableOpen::open(int folder_fd, const std::string& name, int flags,
                                             std::uint32_t owner,
                                             std::chrono::milliseconds patience) {
  if (!worker_) {
    auto worker = std::make_shared<Worker>();
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      std::thread([worker] { Worker::run(worker); }).detach();
    } catch (const std::system_error&) {
      worker.reset();
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    worker_ = std::move(worker);
    errno = EAGAIN;
    if (!worker_) return UniqueFd();
  }
  // A copy: whoever asked may close its own while this still waits.
  UniqueFd folder(::fcntl(folder_fd, F_DUPFD_CLOEXEC, 0));
  std::unique_lock lock(worker_->mutex);
  worker_->outcome.reset();
  worker_->task = Worker::Task{.folder = std::move(folder), .name = name, .flags = flags};
  worker_->changed.notify_all();
  if (worker_->changed.wait_for(lock, patience, [&] { return worker_->outcome.has_value(); })) {
    errno = worker_->outcome->error;
    return std::move(worker_->outcome->fd);
  }
  worker_->dismissed = true;
  lock.unlock();
  left_behind_.push_back({std::move(worker_), owner});
  worker_.reset();
  return std::nullopt;
}

void ExpendableOpen::forget_ended() {
  std::erase_if(left_behind_, [](const LeftBehind& left) {
    const std::lock_guard lock(left.worker->mutex);
    return left.worker->ended;
  });
}

std::size_t ExpendableOpen::left_behind() {
  forget_ended();
  return left_behind_.size();
}

std::size_t ExpendableOpen::left_behind(std::uint32_t owner) {
  forget_ended();
  return static_cast<std::size_t>(std::ranges::count(left_behind_, owner, &LeftBehind::owner));
}

}  // namespace exa
