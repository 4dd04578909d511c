// Follows the pods of this node, one request after the other: lists them, then watches from there;
// lists anew when the server does not know the version where the watch stood. Or asks the kubelet
// for its list. Knows no socket and never waits: the questions go through Ask. The watch thread's,
// owned by PodWatch; health() from any thread. Budget: one page or line of kMaxApiBytes,
// kMaxPagesPerList pages.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "agent/naming/kubernetes/api_client.h"
#include "agent/naming/kubernetes/pod_reader.h"
#include "agent/naming/kubernetes/pod_watch_options.h"
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

// A node has some hundreds of pods; a list that goes on is none.
inline constexpr std::size_t kMaxPagesPerList = 4096;

class PodFollower {
 public:
  enum class Turn : std::uint8_t { kGoOn, kPause, kListAnew, kStopped };
  using Ask = std::function<ApiAnswer(const std::string& path, std::chrono::seconds limit,
                                      const ApiClient::Reader&, const ApiClient::Accepted&)>;
  // False: stopped.
  using Tell = std::function<bool(PodUpdate)>;

  // log and counters outlive it.
  PodFollower(PodWatchOptions options, Ask ask, Tell tell, Counters& counters, const Log& log);

  // Lists where that is due, then watches until the stream ends; what to do next.
  Turn turn();

  // Of the last turn.
  [[nodiscard]] bool progressed() const { return progressed_; }  // it brought something new
  [[nodiscard]] std::chrono::milliseconds asked_pause() const { return asked_pause_; }

  [[nodiscard]] PodSourceHealth health() const;

 private:
  Turn list();
  Turn list_page(const std::string& path, PodPage& page);
  Turn watch();
  Turn on_line(std::string_view line);
  Turn on_status(const ApiStatus& status, long http_status, std::string_view what);
  Turn on_refusal(const ApiAnswer& answer, std::string_view what);
  Turn complain(Counter counter, SourceState state, const std::string& text);
  void answered_well();

  const PodWatchOptions options_;
  const Ask ask_;
  const Tell tell_;
  Counters& counters_;
  OccasionalLog log_;
  const Log& plain_log_;
  std::string resource_version_;  // where the next watch begins; empty: list first
  // A list out of the API server's cache costs it no look through the pods of the whole cluster in
  // its store; but servers give it in one page, so not if that is too long. It may be a little old:
  // the watch goes on from the version it tells.
  bool from_cache_ = true;
  std::size_t page_limit_;
  std::chrono::milliseconds asked_pause_{0};  // by the server
  bool progressed_ = false;                   // in this turn
  bool told_sync_ = false;                    // said in the log since the start or the last failure
  std::atomic<SourceState> state_ = SourceState::kStarting;
  std::atomic<std::uint64_t> last_answer_ns_;
};

}  // namespace exa
