// A pod watch that asks a fault server; for tests of both sources.
#pragma once

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "agent/naming/kubernetes/pod_watch.h"
#include "tests/unit/exporters/fault_server.h"

namespace exa {

inline std::string json(const std::string& body) {
  return http_answer(200, "", body);
}

class PodWatchTest : public testing::Test {
 protected:
  PodWatchTest() {
    folder_ = (std::filesystem::temp_directory_path() / "exa_pod_watch_XXXXXX").string();
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    write_token("first");
  }
  ~PodWatchTest() override { std::filesystem::remove_all(folder_); }

  void write_token(const std::string& token) { std::ofstream(folder_ + "/token") << token << '\n'; }

  PodWatchOptions options(const FaultServer& server) const {
    return {.endpoint = {.url = server.url(), .token_file = folder_ + "/token", .ca_file = ""},
            .node_name = "node-a",
            .shortest_pause = std::chrono::milliseconds(1),
            .longest_pause = std::chrono::milliseconds(20)};
  }
  // All updates until the pod is told; its last state.
  std::optional<Pod> wait_for(const std::string& name,
                              PodUpdate::Kind kind = PodUpdate::Kind::kPod) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (auto update = updates_.pop_until(deadline))
      if (update->kind == kind && update->pod.name == name) return update->pod;
    return std::nullopt;
  }
  bool wait_for_kind(PodUpdate::Kind kind) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (auto update = updates_.pop_until(deadline))
      if (update->kind == kind) return true;
    return false;
  }
  // Of what has been told already.
  bool wait_for_kind_now(PodUpdate::Kind kind) {
    while (auto update = updates_.pop_until({}))
      if (update->kind == kind) return true;
    return false;
  }
  [[nodiscard]] std::uint64_t count(Counter counter) const { return counters_.get(counter); }
  static std::ptrdiff_t lines_with(const std::string& text, const std::string& part) {
    std::stringstream lines(text);
    std::ptrdiff_t found = 0;
    for (std::string line; std::getline(lines, line);)
      found += line.find(part) != std::string::npos ? 1 : 0;
    return found;
  }

  std::string folder_;
  Counters counters_;
  Log log_{LogThreshold::kOff, LogFormat::kText, "test"};
  PodUpdates updates_{4};  // small: the watch must wait for its reader
};

inline const FaultyAnswer kHeldWatch{.bytes = "HTTP/1.1 200 OK\r\n\r\n",
                                     .then = FaultyAnswer::Then::kHold};

}  // namespace exa
