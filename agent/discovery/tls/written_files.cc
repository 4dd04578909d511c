#include "agent/discovery/tls/written_files.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

namespace exa {
namespace {

constexpr int kPollMilliseconds = 100;  // of files that cannot be watched

bool is_as_read(int file_fd, const FileIdentity& file) {
  struct stat now{};
  return ::fstat(file_fd, &now) == 0 &&
         static_cast<std::uint64_t>(now.st_size) == file.size_bytes &&
         static_cast<std::uint64_t>(now.st_mtim.tv_sec) * 1'000'000'000 +
                 static_cast<std::uint64_t>(now.st_mtim.tv_nsec) ==
             file.mtime_ns;
}

timespec changed_at(int file_fd) {
  struct stat now{};
  return ::fstat(file_fd, &now) == 0 ? now.st_ctim : timespec{};
}

// A broken lease is told by one signal, or by SIGIO where too many wait.
sigset_t lease_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGRTMIN);
  ::sigaddset(&signals, SIGIO);
  return signals;
}

void drain(int fd) {
  std::array<char, 4096> bytes;
  while (::read(fd, bytes.data(), bytes.size()) > 0) {
  }
}

}  // namespace

struct WrittenFiles::Kept {
  WrittenFiles& owner;
  FileIdentity file;
  Attachment probes{};
  UniqueFd lease{};
  int mark = -1;       // inotify's; several of one file share it
  UniqueFd polled{};   // the file, where it has no mark
  timespec changed{};  // that one, last: a copy may keep size and time of change
  bool written = false;

  [[nodiscard]] bool lease_broken() const {
    return lease.valid() && ::fcntl(lease.get(), F_GETLEASE) != F_RDLCK;
  }
  [[nodiscard]] bool changed_since() const {
    const auto now = changed_at(polled.get());
    return now.tv_sec != changed.tv_sec || now.tv_nsec != changed.tv_nsec;
  }

  ~Kept() { owner.forget(*this); }
};

WrittenFiles::WrittenFiles(Means means)
    : may_lease_(means.lease),
      inotify_(means.inotify ? ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

WrittenFiles::~WrittenFiles() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  ::eventfd_write(wake_.get(), 1);
  if (thread_.joinable()) thread_.join();
}

Result<WrittenFiles::Attachment> WrittenFiles::keep(int file_fd, const FileIdentity& file,
                                                    const Place& place) {
  auto kept = std::shared_ptr<Kept>(new Kept{.owner = *this, .file = file});
  watch(*kept, file_fd);
  // From here on no write goes unnoticed; one before has changed what this compares.
  if (!is_as_read(file_fd, file)) return fail("the file was written to after it was read");
  auto probes = place();
  if (!probes) return std::unexpected(probes.error());
  const std::lock_guard lock(mutex_);
  if (kept->written) return fail("the file is being written to");
  kept->probes = std::move(*probes);
  return kept;
}

void WrittenFiles::watch(Kept& kept, int file_fd) {
  const std::lock_guard lock(mutex_);
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { run(); });
    thread_id_.wait(0);
  }
  // By descriptor: a watch goes to the file itself, whatever lies at its path by now.
  const std::string path = "/proc/self/fd/" + std::to_string(file_fd);
  kept.lease = leased(file_fd);
  if (inotify_.valid()) kept.mark = ::inotify_add_watch(inotify_.get(), path.c_str(), IN_MODIFY);
  if (kept.mark < 0) {
    kept.polled.reset(::fcntl(file_fd, F_DUPFD_CLOEXEC, 0));
    kept.changed = changed_at(file_fd);
    ::eventfd_write(wake_.get(), 1);
  }
  kept_.push_back(&kept);
}

UniqueFd WrittenFiles::leased(int file_fd) const {
  if (!may_lease_) return {};
  const std::string path = "/proc/self/fd/" + std::to_string(file_fd);
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const f_owner_ex thread{.type = F_OWNER_TID, .pid = thread_id_.load()};
  if (!file.valid() || ::fcntl(file.get(), F_SETSIG, SIGRTMIN) != 0 ||
      ::fcntl(file.get(), F_SETLEASE, F_RDLCK) != 0 ||
      ::fcntl(file.get(), F_SETOWN_EX, &thread) != 0)
    return {};
  return file;
}

void WrittenFiles::forget(Kept& kept) {
  const std::lock_guard lock(mutex_);
  std::erase(kept_, &kept);
  const auto shares_mark = [&](const Kept* other) { return other->mark == kept.mark; };
  if (kept.mark >= 0 && std::ranges::none_of(kept_, shares_mark))
    ::inotify_rm_watch(inotify_.get(), kept.mark);
}

std::vector<FileIdentity> WrittenFiles::take_written() {
  const std::lock_guard lock(mutex_);
  return std::exchange(written_, {});
}

void WrittenFiles::run() {
  ::pthread_setname_np(::pthread_self(), "written");
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  const auto signals = lease_signals();
  const UniqueFd broken(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
  thread_id_ = ::gettid();
  thread_id_.notify_all();
  std::vector<int> marks;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (closing_) return;
    }
    std::array<pollfd, 3> awaited{{{.fd = wake_.get(), .events = POLLIN, .revents = 0},
                                   {.fd = broken.get(), .events = POLLIN, .revents = 0},
                                   {.fd = inotify_.get(), .events = POLLIN, .revents = 0}}};
    ::poll(awaited.data(), awaited.size(), any_polled() ? kPollMilliseconds : -1);
    drain(wake_.get());
    drain(broken.get());
    marks.clear();
    const bool all_told = read_events(marks);
    take_out([&](const Kept& kept) {
      if (kept.lease_broken()) return true;
      if (kept.mark < 0) return kept.changed_since();
      return !all_told || std::ranges::find(marks, kept.mark) != marks.end();
    });
  }
}

bool WrittenFiles::any_polled() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(kept_, [](const Kept* kept) { return kept->mark < 0; });
}

bool WrittenFiles::read_events(std::vector<int>& marks) const {
  bool all_told = true;
  alignas(inotify_event) std::array<char, 4096> events;
  while (inotify_.valid()) {
    const auto size = ::read(inotify_.get(), events.data(), events.size());
    if (size <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event;
      std::memcpy(&event, events.data() + at, sizeof(event));
      at += sizeof(event) + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) all_told = false;
      if ((event.mask & IN_MODIFY) != 0) marks.push_back(event.wd);
    }
  }
  return all_told;
}

void WrittenFiles::take_out(const std::function<bool(const Kept&)>& chosen) {
  std::vector<UniqueFd> leases;  // ends last: then the writer goes on
  std::vector<Attachment> gone;
  const std::lock_guard lock(mutex_);
  for (Kept* const kept : kept_) {
    if (kept->written || !chosen(*kept)) continue;
    kept->written = true;
    gone.push_back(std::move(kept->probes));
    leases.push_back(std::move(kept->lease));
    written_.push_back(kept->file);
  }
}

}  // namespace exa
