// The prober process: holds the BPF programs, looks at processes, watches its child. One thread.
// It reads no captured byte: of the control ring only announcements of processes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/config/config.h"
#include "agent/discovery/container/engine_files.h"
#include "agent/discovery/target_finder.h"
#include "agent/kernel/capture_programs.h"
#include "agent/kernel/ring_reader.h"
#include "agent/privilege/pipeline_process.h"
#include "agent/status.h"
#include "agent/telemetry/logging.h"
#include "agent/tls_capture.h"
#include "exa/base/result.h"

namespace exa {

// Reads the configuration anew, on SIGHUP.
using Reload = std::function<Result<Config>()>;

// The part of the configuration that the BPF programs know.
kernel::CaptureConfig capture_config(const Config& config);

class Prober {
 public:
  Prober(const Config& config, Reload reload, Log& log, kernel::CapturePrograms programs,
         kernel::RingReader control_ring, PipelineProcess pipeline, UniqueFd signals);

  // Tells the processes of this host, attaches the programs, and serves until a signal or the end
  // of the pipeline. The exit code.
  int run();

 private:
  enum class Phase : std::uint8_t { kStarting, kServing, kEnding };

  Result<> begin();
  Result<> exclude_ourselves();
  Result<> send(const ChannelMessage& message, int attached = -1);
  Result<> send_target(const FoundTarget& found);
  void read_control_ring();
  Result<> judge_all();
  std::optional<kernel::OpenVerdict> open_verdict(std::uint32_t tgid);
  void enter(const std::optional<kernel::OpenVerdict>& verdict, const Target& target);
  void tell_noisy();
  void on_channel();
  void on_signal();
  void sweep();
  void reload();
  void start_tls();
  void begin_end();
  int end_of_pipeline();

  Config config_;
  const Reload reload_;
  Log& log_;
  OccasionalLog occasional_;
  TargetFinder finder_;
  std::optional<EngineFiles> engines_;  // without: containers outside Kubernetes have ids only
  kernel::CapturePrograms programs_;
  std::unique_ptr<TlsCapture> tls_;  // none: off, or refused by the kernel
  StatusFile status_;
  kernel::RingReader control_ring_;
  PipelineProcess pipeline_;
  UniqueFd signals_;
  UniqueFd epoll_;
  UniqueFd sweep_timer_;
  ChannelMessage message_;
  Phase phase_ = Phase::kStarting;
  std::size_t observed_ = 0;
  int exit_code_ = -1;  // 0 or more: the loop ends
};

// SIGTERM, SIGINT and SIGHUP become readable here and nowhere else; before any thread or child.
Result<UniqueFd> block_and_watch_signals();

}  // namespace exa
