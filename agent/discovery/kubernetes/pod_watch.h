// Follows the pods of this node: lists them in pages, then watches from there; lists anew when the
// server forgot where the watch stood. Or asks the kubelet for its list from time to time.
// Its own thread in the pipeline process, which has no privilege: what it parses is foreign. It
// speaks to the capture thread through the queue alone and waits while that is full. Budget: one
// connection, one answer of 8 MiB.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "agent/discovery/kubernetes/api_client.h"
#include "agent/discovery/kubernetes/pod_naming.h"
#include "agent/discovery/kubernetes/pod_reader.h"
#include "agent/telemetry/counters.h"
#include "agent/telemetry/logging.h"
#include "exa/base/result.h"

namespace exa {

enum class PodSource : std::uint8_t { kApiServer, kKubelet };

struct PodWatchOptions {
  ApiEndpoint endpoint;
  std::string node_name;
  PodSource source = PodSource::kApiServer;
  std::size_t page_limit = 50;
  std::chrono::seconds request_limit{30};
  std::chrono::seconds watch_limit{300};
  std::chrono::milliseconds shortest_pause{500};
  std::chrono::milliseconds longest_pause{30'000};
  std::chrono::milliseconds kubelet_interval{10'000};
};

// From the variables that the kubelet sets in every pod and NODE_NAME; an error where they are not.
Result<PodWatchOptions> in_cluster_options(
    const std::function<const char*(const char*)>& environment,
    const std::string& account_folder = "/var/run/secrets/kubernetes.io/serviceaccount");

class PodWatch {
 public:
  // log and updates outlive it.
  PodWatch(PodWatchOptions options, PodUpdates& updates, Counters& counters, const Log& log);
  ~PodWatch();  // ends the thread within one answer's handling
  PodWatch(const PodWatch&) = delete;
  PodWatch& operator=(const PodWatch&) = delete;

 private:
  enum class Turn : std::uint8_t { kGoOn, kPause, kListAnew, kStopped };

  void run();
  Turn list();
  Turn list_page(const std::string& path, PodPage& page);
  Turn watch();
  Turn on_line(std::string_view line);
  Turn on_status(const ApiStatus& status, long http_status, std::string_view what);
  Turn complain(Counter counter, const std::string& cause, const std::string& text);
  bool tell(PodUpdate update);
  bool pause(std::chrono::milliseconds duration);

  const PodWatchOptions options_;
  PodUpdates& updates_;
  Counters& counters_;
  OccasionalLog log_;
  ApiClient client_;
  std::string resource_version_;  // where the next watch begins; empty: list first
  std::size_t page_limit_;
  std::chrono::milliseconds asked_pause_{0};  // by the server
  bool progressed_ = false;                   // since the last pause
  bool synced_once_ = false;
  const Log& plain_log_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace exa
