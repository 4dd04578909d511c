// Follows the pods of this node: lists them, then watches from there; lists anew when the server
// does not know the version where the watch stood. Or asks the kubelet for its list from time to
// time. Its own thread in the pipeline process, which has no privilege: what it parses is foreign.
// It speaks to the capture thread through the queue alone and waits while that is full. Budget: one
// connection, one answer of 8 MiB.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "agent/discovery/kubernetes/api_client.h"
#include "agent/discovery/kubernetes/pod_naming.h"
#include "agent/discovery/kubernetes/pod_reader.h"
#include "agent/discovery/kubernetes/pod_watch_options.h"
#include "agent/telemetry/counters.h"
#include "agent/telemetry/logging.h"
#include "agent/telemetry/source_state.h"
#include "exa/base/time.h"

namespace exa {

// For metrics; from any thread.
struct PodSourceHealth {
  SourceState state = SourceState::kStarting;
  MonotonicTime last_answer;  // that was good, or when asking began
};

class PodWatch {
 public:
  // log and updates outlive it.
  PodWatch(PodWatchOptions options, PodUpdates& updates, Counters& counters, const Log& log);
  ~PodWatch();  // ends the thread within one answer's handling
  PodWatch(const PodWatch&) = delete;
  PodWatch& operator=(const PodWatch&) = delete;

  [[nodiscard]] PodSourceHealth health() const;
  // Somebody waits for a pod: the kubelet, which tells nothing by itself, is asked before its time.
  // Lock-free; the capture thread's.
  void ask_soon() { asked_.store(true, std::memory_order_relaxed); }

 private:
  enum class Turn : std::uint8_t { kGoOn, kPause, kListAnew, kStopped };

  void run();
  Turn list();
  Turn list_page(const std::string& path, PodPage& page);
  Turn watch();
  Turn on_line(std::string_view line);
  Turn on_status(const ApiStatus& status, long http_status, std::string_view what);
  Turn on_refusal(const ApiAnswer& answer, std::string_view what);
  Turn complain(Counter counter, SourceState state, const std::string& text);
  void answered_well();
  bool tell(PodUpdate update);
  bool pause(std::chrono::milliseconds duration);
  bool pause_until_asked(std::chrono::milliseconds duration);

  const PodWatchOptions options_;
  PodUpdates& updates_;
  Counters& counters_;
  OccasionalLog log_;
  ApiClient client_;
  std::string resource_version_;  // where the next watch begins; empty: list first
  // A list out of the API server's cache costs it no look through the pods of the whole cluster in
  // its store; but servers give it in one page, so not if that is too long. It may be a little old:
  // the watch goes on from the version it tells.
  bool from_cache_ = true;
  std::size_t page_limit_;
  std::chrono::milliseconds asked_pause_{0};  // by the server
  bool progressed_ = false;                   // since the last pause
  bool told_sync_ = false;                    // said in the log since the start or the last failure
  std::atomic<SourceState> state_ = SourceState::kStarting;
  std::atomic<std::uint64_t> last_answer_ns_;
  std::atomic<bool> asked_ = false;
  const Log& plain_log_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace exa
