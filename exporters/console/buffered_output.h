// Prints on a thread of its own: a reader that stops (Ctrl-S, a hung pipe) holds nobody up.
// Any thread. Holds at most kBound and one print; what does not fit is lost as a whole and counted.
#pragma once

#include <memory>
#include <thread>

#include "exa/export/export_counters.h"
#include "exporters/console/line_output.h"
#include "exporters/queue/log_sink.h"

namespace exa {

class BufferedOutput final : public LineOutput {
 public:
  static constexpr std::size_t kBound = std::size_t{8} << 20;
  // Who takes nothing for so long has stopped, and nobody waits for him.
  static constexpr std::chrono::milliseconds kStopped{700};

  // Starts the thread. counters, and what the sink stands on, outlive the output.
  BufferedOutput(int fd, ExportCounters& counters, LogSink sink);
  ~BufferedOutput() override { shutdown(Clock::time_point::min()); }
  BufferedOutput(const BufferedOutput&) = delete;
  BufferedOutput& operator=(const BufferedOutput&) = delete;

  Printed write(std::string text, Settled settled = {},
                Clock::time_point deadline = Clock::time_point::min()) override;
  void draw(std::string frame) override;
  [[nodiscard]] int error() const override;
  void shutdown(Clock::time_point deadline) override;

 private:
  struct Shared;

  static void run(Shared& shared);
  void say_what_was_lost(bool lost_now);

  ExportCounters& counters_;
  const LogSink sink_;
  // The thread's, too: a write that never returns is left behind with it.
  const std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace exa
