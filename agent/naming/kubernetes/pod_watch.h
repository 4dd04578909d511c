// The thread that follows the pods of this node: asks the API server or the kubelet, and pauses as
// long as it must. Its own thread in the pipeline process, which has no privilege: what it parses
// is foreign. It speaks to the capture thread through the queue alone and waits while that is full.
// Budget: one connection, one answer of 8 MiB.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "agent/naming/kubernetes/api_client.h"
#include "agent/naming/kubernetes/pod_follower.h"
#include "agent/naming/kubernetes/pod_naming.h"
#include "agent/naming/kubernetes/pod_watch_options.h"
#include "agent/telemetry/counters.h"
#include "agent/telemetry/logging.h"

namespace exa {

class PodWatch {
 public:
  // log and updates outlive it.
  PodWatch(const PodWatchOptions& options, PodUpdates& updates, Counters& counters, const Log& log);
  ~PodWatch();  // ends the thread within one answer's handling
  PodWatch(const PodWatch&) = delete;
  PodWatch& operator=(const PodWatch&) = delete;

  [[nodiscard]] PodSourceHealth health() const { return follower_.health(); }
  // Somebody waits for a pod: the kubelet, which tells nothing by itself, is asked before its time.
  // Lock-free; the capture thread's.
  void ask_soon() { asked_.store(true, std::memory_order_relaxed); }

 private:
  void run();
  bool tell(PodUpdate update);
  bool pause(std::chrono::milliseconds duration);
  bool pause_until_asked(std::chrono::milliseconds duration);

  const PodWatchOptions options_;
  PodUpdates& updates_;
  ApiClient client_;
  PodFollower follower_;
  std::atomic<bool> asked_ = false;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace exa
