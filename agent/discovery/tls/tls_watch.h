// Keeps the TLS probes in step with the processes of the host, on a thread of its own: having files
// read or placing probes may take a while, and the prober must not wait for it, not even at its
// end. Owned by the prober; notify() and status() may be called from any thread. Queue:
// kQueueEvents, overflow is counted and made good by the next TLS connection of the process.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/discovery/tls/tls_attacher.h"
#include "exa/abi/connection_kinds.h"
#include "exa/base/bounded_queue.h"

namespace exa {

enum class TlsNews : std::uint8_t { kStarted, kTraffic, kExited };

class TlsWatch {
 public:
  static constexpr std::size_t kQueueEvents = 4096;

  struct Chores {
    // As the kernel counted them, by process.
    std::function<std::map<std::uint32_t, exa_connection_counts>()> connections;
    std::function<bool()> sweep;  // about twice a second; false if it failed
    std::function<void(const std::function<bool(std::uint32_t)>& is_gone)> forget_streams;
  };

  // The thread first attaches the host's libraries and looks at every running process. The watch
  // must outlive it: see end_within().
  TlsWatch(TlsAttacher attacher, std::vector<std::string> host_libraries, Chores chores);
  TlsWatch(const TlsWatch&) = delete;
  TlsWatch& operator=(const TlsWatch&) = delete;

  // Never blocks.
  void notify(TlsNews news, std::uint32_t tgid);

  // The status table, as JSON: {"processes":[...],"looked_at_all":...,"figures":{...}}.
  // Empty before the host's
  // libraries were attached.
  [[nodiscard]] std::string status() const;

  // Any thread. The host's libraries have their probes, and what the processes of the start map, as
  // far as it can be probed: or files of theirs have taken longer than others should wait for.
  static constexpr Duration kLongestWait = std::chrono::seconds(10);
  [[nodiscard]] bool probes_placed() const { return probes_placed_.load(); }
  [[nodiscard]] TlsFigures figures() const;

  // Asks the thread to take all probes away and to end; whether it did so in time. One that did not
  // is left to the end of the process, which the kernel then cleans up after.
  bool end_within(Duration patience);

 private:
  struct Event {
    TlsNews news;
    std::uint32_t tgid;
  };
  // A process with TLS traffic is looked at again, for libraries that it loaded since: after a
  // second, then at growing intervals.
  struct Patience {
    MonotonicTime next;
    Duration interval{};
  };

  void run();
  void look_at_running_processes();
  void read_connections(MonotonicTime now);
  void do_chores();
  void handle(const Event& event, MonotonicTime now);
  void publish();

  std::optional<TlsAttacher> attacher_;  // gone with the thread, and its probes with it
  std::vector<std::string> host_libraries_;
  Chores chores_;
  std::chrono::steady_clock::time_point next_sweep_;
  std::chrono::steady_clock::time_point next_tidy_;
  std::chrono::steady_clock::time_point next_publication_;
  bool changed_ = false;
  bool looked_at_all_ = false;  // every process of the start
  std::map<std::uint32_t, Patience> patience_;
  // Of as many processes as the kernel has room for.
  std::map<std::uint32_t, exa_connection_counts> connections_;
  std::set<std::uint32_t> searched_;
  std::uint64_t failed_sweeps_ = 0;
  BoundedQueue<Event> queue_{kQueueEvents};
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<bool> probes_placed_{false};
  mutable std::mutex status_mutex_;
  std::string status_;
  TlsFigures figures_;
  std::mutex end_mutex_;
  std::condition_variable end_;
  bool ended_ = false;
};

}  // namespace exa
