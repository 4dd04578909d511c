#include "agent/discovery/tls/tls_watch.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

namespace exa {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kSweepInterval{500};
constexpr seconds kTidyInterval{10};
constexpr Duration kFirstPatience = seconds(1);
constexpr Duration kLongestPatience = seconds(64);

std::vector<std::uint32_t> running_processes() {
  std::vector<std::uint32_t> all;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder) return all;
  while (const dirent* entry = ::readdir(folder.get())) {
    const char* const begin = entry->d_name;
    const char* const end = begin + std::strlen(begin);
    std::uint32_t tgid = 0;
    if (const auto [at, error] = std::from_chars(begin, end, tgid);
        error == std::errc() && at == end)
      all.push_back(tgid);
  }
  return all;
}

bool is_gone(std::uint32_t tgid) {
  return ::kill(static_cast<pid_t>(tgid), 0) != 0 && errno == ESRCH;
}

}  // namespace

TlsWatch::TlsWatch(TlsAttacher attacher, Chores chores)
    : attacher_(std::move(attacher)), chores_(std::move(chores)) {
  // The prober's signals are not for this thread.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TlsWatch::~TlsWatch() {
  queue_.close();
  thread_.join();
}

void TlsWatch::notify(TlsNews news, std::uint32_t tgid) {
  if (!queue_.push({news, tgid})) lost_.fetch_add(1, std::memory_order_relaxed);
}

void TlsWatch::run() {
  ::pthread_setname_np(::pthread_self(), "tls");
  attacher_.attach_host_libraries();
  for (const auto tgid : running_processes()) {
    if (queue_.closed()) return;
    attacher_.look_at(tgid, false, monotonic_now());
  }
  publish();
  auto next_sweep = std::chrono::steady_clock::now() + kSweepInterval;
  auto next_tidy = std::chrono::steady_clock::now() + kTidyInterval;
  bool changed = false;
  while (!queue_.closed_and_empty()) {
    if (const auto event = queue_.pop_until(next_sweep)) {
      handle(*event, monotonic_now());
      changed = true;
    }
    const auto now = std::chrono::steady_clock::now();
    if (now < next_sweep) continue;
    next_sweep = now + kSweepInterval;
    if (!chores_.sweep()) ++failed_sweeps_;
    if (now >= next_tidy) {
      next_tidy = now + kTidyInterval;
      attacher_.tidy(monotonic_now());
      std::erase_if(patience_, [](const auto& entry) { return is_gone(entry.first); });
      chores_.forget_streams(is_gone);
      changed = true;
    }
    if (changed) publish();
    changed = false;
  }
}

void TlsWatch::handle(const Event& event, MonotonicTime now) {
  switch (event.news) {
    case TlsNews::kStarted:
      patience_.erase(event.tgid);
      attacher_.look_at(event.tgid, false, now);
      return;
    case TlsNews::kTraffic: {
      Patience& patience = patience_[event.tgid];
      if (now < patience.next) return;
      patience.interval = patience.interval == Duration::zero()
                              ? kFirstPatience
                              : std::min(2 * patience.interval, kLongestPatience);
      patience.next = now + patience.interval;
      attacher_.look_at(event.tgid, true, now);
      return;
    }
    case TlsNews::kExited:
      patience_.erase(event.tgid);
      attacher_.forget(event.tgid, now);
      return;
  }
}

void TlsWatch::publish() {
  auto processes = nlohmann::json::array();
  for (const auto& [tgid, process] : attacher_.processes()) {
    auto uses = nlohmann::json::array();
    for (const TlsUse& use : process.uses)
      uses.push_back({{"path", use.path},
                      {"library", use.library},
                      {"build_id", use.build_id},
                      {"reason", use.reason},
                      {"probes", use.probes}});
    processes.push_back({{"pid", tgid}, {"executable", process.executable}, {"tls", uses}});
  }
  const TlsFigures& figures = attacher_.figures();
  const nlohmann::json status{{"processes", processes},
                              {"figures",
                               {{"looks", figures.looks},
                                {"looks_failed", figures.looks_failed},
                                {"attached_files", attacher_.attached_files()},
                                {"files_attached", figures.files_attached},
                                {"files_detached", figures.files_detached},
                                {"attach_failures", figures.attach_failures},
                                {"files_over_limit", figures.files_over_limit},
                                {"processes_over_limit", figures.processes_over_limit},
                                {"sweeps_failed", failed_sweeps_},
                                {"events_lost", lost_.load(std::memory_order_relaxed)}}}};
  // Paths of hostile processes need not be UTF-8.
  std::string text = status.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::lock_guard lock(status_mutex_);
  status_ = std::move(text);
}

std::string TlsWatch::status() const {
  const std::lock_guard lock(status_mutex_);
  return status_;
}

}  // namespace exa
