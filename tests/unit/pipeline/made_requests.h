// Requests as the rings carry them, a recording in memory, and windows as they come.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>

#include <string>
#include <utility>
#include <vector>

#include "agent/metrics/metric_table.h"
#include "agent/request_pipeline/request_pipeline.h"
#include "agent/run/pipeline/window_sink.h"
#include "exa/base/unique_fd.h"
#include "tests/fuzz/made_records.h"
#include "tests/unit/request_pipeline/synthetic_exchanges.h"

namespace exa::testing {

inline constexpr WallClockOffset kOffset{1'700'000'000'000'000'000};

inline RequestPipelineOptions small_pipeline() {
  RequestPipelineOptions options;
  options.id_seed = {1, 2, 3};
  return options;
}

using Records = std::vector<std::vector<std::byte>>;

// One request that process 100 serves, with its answer.
class MadeRequests {
 public:
  Records at(MonotonicTime time) {
    records_.now_ns = time.ns;
    Records request;
    request.push_back(records_.chunk(0, 0, "GET /cart HTTP/1.1\r\nHost: shop\r\n\r\n"));
    records_.now_ns += 1'000'000;
    request.push_back(records_.chunk(0, 1, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    return request;
  }

 private:
  fuzz::MadeRecords records_;
};

inline std::uint64_t requests_in(const ClosedWindow& window) {
  std::uint64_t count = 0;
  for (const auto& series : window.series)
    if (series.key.kind == MetricKind::kServerDuration) count += series.delta.count();
  return count;
}

// "start..end n names": seconds since kStart, how many requests, and who served them.
inline std::string text_of(const ClosedWindow& window) {
  const auto seconds = [](WallTime time) {
    return std::to_string((time.ns - kOffset.to_wall(kStart).ns) / 1'000'000'000);
  };
  std::string text = seconds(window.start) + ".." + seconds(window.end) + " " +
                     std::to_string(requests_in(window));
  for (const auto& series : window.series)
    if (series.key.kind == MetricKind::kServerDuration)
      text += " " + window.targets.at(series.key.target)->service_name;
  return text;
}

// Keeps windows as texts. Those at `late` find the one before still waiting.
class KeptWindows final : public WindowSink {
 public:
  bool take(ClosedWindow window) override {
    const bool joins = late > 0 && !windows_.empty();
    if (joins) {
      --late;
      windows_.back().absorb(std::move(window));
    } else {
      windows_.push_back(std::move(window));
    }
    return joins;
  }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> texts;
    for (const auto& window : windows_)
      texts.push_back(text_of(window));
    return texts;
  }
  int late = 0;  // so many of those that come

 private:
  std::vector<ClosedWindow> windows_;
};

// A file in memory, to be read from its beginning by whoever opens it.
class MemoryFile {
 public:
  MemoryFile() : file_(memfd_create("recording", MFD_CLOEXEC)) {}
  [[nodiscard]] UniqueFd open() const {
    return UniqueFd(
        ::open(("/proc/self/fd/" + std::to_string(file_.get())).c_str(), O_RDWR | O_CLOEXEC));
  }

 private:
  UniqueFd file_;
};

}  // namespace exa::testing
