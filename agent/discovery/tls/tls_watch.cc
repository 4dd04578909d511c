#include "agent/discovery/tls/tls_watch.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "agent/discovery/proc_reader.h"
#include "agent/discovery/running_processes.h"
#include "agent/discovery/tls/connection_reasons.h"

namespace exa {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kSweepInterval{500};
constexpr milliseconds kPublishInterval{500};
constexpr seconds kTidyInterval{10};
constexpr Duration kFirstPatience = seconds(1);
constexpr Duration kLongestPatience = seconds(64);

// Of a process that has no TLS library; what the kernel calls it where its path cannot be read.
std::string executable_or(std::uint32_t tgid, const exa_connection_counts& counts) {
  const auto process = open_process(tgid);
  auto path = process ? read_exe(process->get()).path : std::string();
  const auto* const comm = reinterpret_cast<const char*>(counts.comm);
  return path.empty() ? std::string(comm, ::strnlen(comm, sizeof(counts.comm))) : path;
}

}  // namespace

TlsWatch::TlsWatch(TlsAttacher attacher, std::vector<std::string> host_libraries, Chores chores)
    : attacher_(std::move(attacher)),
      host_libraries_(std::move(host_libraries)),
      chores_(std::move(chores)) {
  // The prober's signals are not for this thread.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([this] { run(); }).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

bool TlsWatch::end_within(Duration patience) {
  queue_.close();
  std::unique_lock lock(end_mutex_);
  return end_.wait_for(lock, patience, [this] { return ended_; });
}

void TlsWatch::notify(TlsNews news, std::uint32_t tgid) {
  if (!queue_.push({news, tgid})) lost_.fetch_add(1, std::memory_order_relaxed);
}

void TlsWatch::run() {
  ::pthread_setname_np(::pthread_self(), "tls");
  const auto placed_by = monotonic_now() + kLongestWait;
  attacher_->attach_host_libraries(host_libraries_);
  publish();
  const auto begin = std::chrono::steady_clock::now();
  next_sweep_ = begin + kSweepInterval;
  next_tidy_ = begin + kTidyInterval;
  next_publication_ = begin + kPublishInterval;
  look_at_running_processes();
  looked_at_all_ = changed_ = true;
  while (!queue_.closed()) {
    // News first: what is known of a file is told at once, and only reading takes its turn.
    const auto until = attacher_->has_turns() ? std::chrono::steady_clock::now() : next_sweep_;
    if (const auto event = queue_.pop_until(until)) {
      handle(*event, monotonic_now());
      changed_ = true;
    } else if (attacher_->has_turns()) {
      attacher_->take_turn(monotonic_now());
      changed_ = true;
    }
    attacher_->forget_written(monotonic_now());
    if (!attacher_->has_turns() || monotonic_now() >= placed_by) probes_placed_ = true;
    do_chores();
  }
  attacher_.reset();
  const std::lock_guard lock(end_mutex_);
  ended_ = true;
  end_.notify_all();
}

void TlsWatch::look_at_running_processes() {
  for (const auto tgid : running_processes("/proc", std::numeric_limits<std::size_t>::max())) {
    if (queue_.closed()) return;
    attacher_->look_at(tgid, false, monotonic_now());
    changed_ = true;
    do_chores();
  }
}

void TlsWatch::do_chores() {
  const auto now = std::chrono::steady_clock::now();
  if (now >= next_sweep_) {
    next_sweep_ = now + kSweepInterval;
    if (!chores_.sweep()) ++failed_sweeps_;
    attacher_->end_tables(monotonic_now());
  }
  if (now >= next_tidy_) {
    next_tidy_ = now + kTidyInterval;
    attacher_->tidy(monotonic_now());
    std::erase_if(patience_, [](const auto& entry) { return is_gone(entry.first); });
    chores_.forget_streams(is_gone);
    changed_ = true;
  }
  if (now >= next_publication_) {
    next_publication_ = now + kPublishInterval;
    read_connections(monotonic_now());
    if (changed_) publish();
    changed_ = false;
  }
}

// A process whose TLS is unread twice in a row may have a library that nobody found so far.
void TlsWatch::read_connections(MonotonicTime now) {
  auto counts = chores_.connections();
  const auto same = [](const auto& a, const auto& b) {
    return a.first == b.first && std::ranges::equal(a.second.connections, b.second.connections);
  };
  changed_ = changed_ || !std::ranges::equal(counts, connections_, same);
  std::erase_if(searched_, [&](std::uint32_t tgid) { return !counts.contains(tgid); });
  for (const auto& [tgid, of_process] : counts) {
    const auto before = connections_.find(tgid);
    if (!is_unread_tls(of_process) || before == connections_.end() ||
        !is_unread_tls(before->second) || !searched_.insert(tgid).second)
      continue;
    attacher_->search(tgid, now);
    changed_ = true;
  }
  connections_ = std::move(counts);
}

void TlsWatch::handle(const Event& event, MonotonicTime now) {
  switch (event.news) {
    case TlsNews::kStarted:
      patience_.erase(event.tgid);
      attacher_->look_at(event.tgid, false, now);
      return;
    case TlsNews::kTraffic: {
      Patience& patience = patience_[event.tgid];
      if (now < patience.next) return;
      patience.interval = patience.interval == Duration::zero()
                              ? kFirstPatience
                              : std::min(2 * patience.interval, kLongestPatience);
      patience.next = now + patience.interval;
      attacher_->look_at(event.tgid, true, now);
      return;
    }
    case TlsNews::kExited:
      patience_.erase(event.tgid);
      attacher_->forget(event.tgid, now);
      return;
  }
}

void TlsWatch::publish() {
  auto processes = nlohmann::json::array();
  const auto tell = [&](std::uint32_t tgid, const std::string& executable,
                        const std::vector<TlsUse>& told) {
    auto uses = nlohmann::json::array();
    for (const TlsUse& use : told)
      uses.push_back({{"path", use.path},
                      {"library", use.library},
                      {"build_id", use.build_id},
                      {"reason", use.reason},
                      {"probes", use.probes},
                      {"connections", use.connections}});
    if (!uses.empty())
      processes.push_back({{"pid", tgid}, {"executable", executable}, {"tls", uses}});
  };
  const auto& known = attacher_->processes();
  for (const auto& [tgid, process] : known) {
    const auto counts = connections_.find(tgid);
    tell(tgid, process.executable,
         told_uses(process.uses, process.executable,
                   counts == connections_.end() ? exa_connection_counts{} : counts->second));
  }
  for (const auto& [tgid, counts] : connections_) {
    if (known.contains(tgid)) continue;
    const auto executable = executable_or(tgid, counts);
    tell(tgid, executable, told_uses({}, executable, counts));
  }
  const TlsFigures& figures = attacher_->figures();
  const nlohmann::json status{{"processes", processes},
                              {"looked_at_all", looked_at_all_},
                              {"figures",
                               {{"looks", figures.looks},
                                {"looks_failed", figures.looks_failed},
                                {"attached_files", attacher_->attached_files()},
                                {"files_attached", figures.files_attached},
                                {"files_detached", figures.files_detached},
                                {"files_written", figures.files_written},
                                {"attach_failures", figures.attach_failures},
                                {"attach_postponed", figures.attach_postponed},
                                {"files_over_limit", figures.files_over_limit},
                                {"files_over_share", figures.files_over_share},
                                {"files_over_budget", figures.files_over_budget},
                                {"files_held_up", figures.files_held_up},
                                {"files_unread", figures.files_unread},
                                {"files_refused", figures.files_refused},
                                {"processes_over_limit", figures.processes_over_limit},
                                {"sweeps_failed", failed_sweeps_},
                                {"events_lost", lost_.load(std::memory_order_relaxed)}}}};
  // Paths of hostile processes need not be UTF-8.
  std::string text = status.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::lock_guard lock(status_mutex_);
  status_ = std::move(text);
  figures_ = figures;
}

TlsFigures TlsWatch::figures() const {
  const std::lock_guard lock(status_mutex_);
  return figures_;
}

std::string TlsWatch::status() const {
  const std::lock_guard lock(status_mutex_);
  return status_;
}

}  // namespace exa
