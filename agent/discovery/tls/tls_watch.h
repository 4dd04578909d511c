// Keeps the TLS probes in step with the processes of the host, on a thread of its own: reading an
// ELF file or placing probes may take a while, and the prober must not wait for it.
// Owned by the prober; notify() and status() may be called from any thread. Queue: kQueueEvents,
// overflow is counted and made good by the next TLS connection of the process.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "agent/discovery/tls/tls_attacher.h"
#include "exa/base/bounded_queue.h"

namespace exa {

enum class TlsNews : std::uint8_t { kStarted, kTraffic, kExited };

class TlsWatch {
 public:
  static constexpr std::size_t kQueueEvents = 4096;

  struct Chores {
    std::function<bool()> sweep;  // about twice a second; false if it failed
    std::function<void(const std::function<bool(std::uint32_t)>& is_gone)> forget_streams;
  };

  // The thread first attaches the host's libraries and looks at every running process.
  TlsWatch(TlsAttacher attacher, Chores chores);
  ~TlsWatch();
  TlsWatch(const TlsWatch&) = delete;
  TlsWatch& operator=(const TlsWatch&) = delete;

  // Never blocks.
  void notify(TlsNews news, std::uint32_t tgid);

  // The status table, as JSON: {"processes":[...],"figures":{...}}. Empty before every running
  // process was looked at.
  [[nodiscard]] std::string status() const;

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
  void handle(const Event& event, MonotonicTime now);
  void publish();

  TlsAttacher attacher_;
  Chores chores_;
  std::map<std::uint32_t, Patience> patience_;
  std::uint64_t failed_sweeps_ = 0;
  BoundedQueue<Event> queue_{kQueueEvents};
  std::atomic<std::uint64_t> lost_{0};
  mutable std::mutex status_mutex_;
  std::string status_;
  std::thread thread_;
};

}  // namespace exa
