// The prober process: holds the BPF programs, looks at processes, watches its child. One thread,
// which never waits for anybody: not for the pipeline, not for the TLS thread, and only for a
// bounded time for a reader. It reads no captured byte: of the control ring only announcements of
// processes.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "agent/config/config.h"
#include "agent/discovery/container/engine_files.h"
#include "agent/discovery/target_finder.h"
#include "agent/kernel/capture_programs.h"
#include "agent/kernel/mapping_iterator.h"
#include "agent/kernel/ring_reader.h"
#include "agent/kernel/thread_look.h"
#include "agent/kernel/thread_sleeps.h"
#include "agent/privilege/pipeline_process.h"
#include "agent/privilege/zygote.h"
#include "agent/readers/foreign_reader.h"
#include "agent/run/messages/pipeline_line.h"
#include "agent/run/messages/status_files.h"
#include "agent/run/prober/life_cycle.h"
#include "agent/run/prober/prober_questions.h"
#include "agent/run/prober/published_before.h"
#include "agent/run/prober/second_looks.h"
#include "agent/run/prober/share_report.h"
#include "agent/run/prober/tls_capture.h"
#include "agent/telemetry/logging.h"
#include "agent/telemetry/tls_state.h"
#include "exa/base/result.h"

namespace exa {

// The part of the configuration that the BPF programs know.
kernel::CaptureConfig capture_config(const Config& config);

// How it is known what threads do, as far as that is asked for and the kernel can.
struct WatchedThreads {
  std::optional<kernel::ThreadLook> look;
  std::optional<kernel::ThreadSleeps> sleeps;
};

class Prober {
 public:
  Prober(const Config& config, ProberQuestions questions, Log& log,
         kernel::CapturePrograms programs, WatchedThreads threads, kernel::RingReader control_ring,
         PipelineProcess pipeline, Zygote zygote, UniqueFd signals);

  // Tells the processes of this host, attaches the programs, and serves until a signal or the end
  // of the pipeline. The exit code. The process must then end without destructors: a thread may be
  // anywhere.
  int run();

  // How often sockets are swept and the pipeline hears that the prober is alive.
  static constexpr Duration kSweepInterval = std::chrono::milliseconds(500);

 private:
  static constexpr std::size_t kAnnouncementsPerTurn = 64;
  static constexpr std::size_t kProcessesPerTurn = 64;
  static_assert(kAnnouncementsPerTurn + kProcessesPerTurn < Outbox::kRoom);

  Result<> begin();
  Result<> exclude_ourselves();
  // Before anything is observed: then the programs are attached.
  Result<> tell_processes();
  Result<> observe();
  std::optional<ProcessWords> words_of(int process_fd, std::uint32_t owner,
                                       const std::string& executable);
  OtelEnvironment published_by(const ProcessFacts& facts, int process_fd, std::uint32_t owner);
  void look_again();
  Result<> send_target(const FoundTarget& found);
  void watch_what_there_is_room_for();
  void on_event(int fd, std::uint32_t events);
  void read_control_ring();
  std::optional<kernel::OpenVerdict> open_verdict(std::uint32_t tgid);
  bool enter(const std::optional<kernel::OpenVerdict>& verdict, const Target& target);
  [[nodiscard]] bool is_ours(std::uint32_t tgid) const;
  Result<> send_rule_of_the_unjudged();
  void note_refused_by_kernel();
  void note_share_losses();
  void note_refused(SharedTable table, std::uint32_t tgid, const std::string& comm,
                    std::uint64_t refused);
  void write_status();
  void on_channel();
  void look();
  Result<> line_is_open();
  void on_signal();
  void on_timer();
  void set_timer(Duration first, Duration interval);
  void beat();
  void reload();
  TlsState start_tls();
  void begin_end();
  int end_of_pipeline();

  Config config_;
  const ProberQuestions questions_;
  Log& log_;
  OccasionalLog occasional_;
  Zygote zygote_;
  ForeignReader reader_;  // of this thread
  TargetFinder finder_;
  std::optional<EngineFiles> engines_;  // without: containers outside Kubernetes have ids only
  kernel::CapturePrograms programs_;
  WatchedThreads threads_;
  MonotonicTime looked_;
  // Without: neither TLS nor what SDKs publish is read.
  std::shared_ptr<const kernel::MappingIterator> mappings_;
  SecondLooks second_looks_;
  PublishedBefore published_before_;
  std::unique_ptr<TlsCapture> tls_;  // none: off, or refused by the kernel
  ShareReport shares_;
  StatusFile status_;
  kernel::RingReader control_ring_;
  PipelineProcess pipeline_;
  PipelineLine line_;
  UniqueFd signals_;
  UniqueFd epoll_;
  UniqueFd sweep_timer_;
  std::deque<std::uint32_t> unseen_;  // processes to be looked at; at most kMaxScannedProcesses
  ChannelMessage message_;
  bool reading_control_ = true;
  bool attached_ = false;
  bool told_of_probes_ = false;
  bool tell_of_unmatched_ = true;  // rules that match nobody, once all processes are looked at
  LifeCycle life_;
  std::size_t observed_ = 0;
  int exit_code_ = -1;  // 0 or more: the loop ends
};

}  // namespace exa
