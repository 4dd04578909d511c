// The BPF programs of capture: loaded, attached, and gone with this object, since the links are
// held here and nowhere else.
// Prober thread. Owned by the prober. Memory: the rings, and the kernel's own accounting.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/kernel/features.h"
#include "exa/base/result.h"
#include "exa/model/target.h"

struct capture_bpf;

namespace exa::kernel {

struct CaptureConfig {
  std::uint32_t capture_budget_bytes = 4096;  // a run, at most EXA_MAX_CAPTURE_BYTES
  std::uint32_t ignore_after_runs = 16;
  std::uint32_t retry_after_runs = 1024;
  std::uint32_t event_ring_bytes = 8 << 20;  // all data rings together; a power of two
  std::uint32_t event_rings = 1;             // a power of two, see suggested_event_rings()
  std::uint32_t control_ring_bytes = 256 << 10;
  std::uint32_t max_processes = 16384;
  std::vector<std::uint16_t> included_ports{};  // empty: every port; at most EXA_MAX_PORTS
  std::vector<std::uint16_t> excluded_ports{};  // at most EXA_MAX_PORTS
  bool tls = false;                             // TLS programs will be loaded beside these
};

// Descriptors of the maps that the TLS programs share.
struct SharedMaps {
  int events;
  int control;
  int counters;
  int processes;
  int tls_streams;
  int tls_threads;
  int tls_goroutines;
  int tls_dull;
};

// One data ring a CPU, at most EXA_MAX_EVENT_RINGS: CPUs that share one pull its lock and positions
// from each other at every record, which costs a socket call more than all else that is done for
// it.
std::uint32_t suggested_event_rings();

struct ProgramFigures {
  std::string name;
  std::uint32_t id = 0;
  std::uint32_t verified_instructions = 0;
  std::uint32_t translated_bytes = 0;
  std::uint64_t recursion_misses = 0;
};

class CapturePrograms {
 public:
  // Opens and loads. Nothing is observed before attach().
  static Result<CapturePrograms> load(const CaptureConfig& config, const KernelFeatures& features);

  CapturePrograms(CapturePrograms&&) noexcept;
  CapturePrograms& operator=(CapturePrograms&&) noexcept;
  ~CapturePrograms();

  Result<> attach();
  // Nothing more is observed; maps and rings stay readable. Returns when no program runs any more.
  void detach();

  // Borrowed; inherited copies work without capabilities. One reader reads all data rings.
  [[nodiscard]] std::vector<int> event_ring_fds() const;
  [[nodiscard]] int event_ring_fd() const { return event_ring_fds().front(); }
  [[nodiscard]] int control_ring_fd() const;
  [[nodiscard]] int counters_fd() const;
  [[nodiscard]] SharedMaps shared_maps() const;
  // Of the kernel that the programs were loaded into.
  [[nodiscard]] const KernelFeatures& features() const;

  // The verdict about a process. With start_time_ns = 0 it holds through exec (the agent's own two
  // processes); otherwise it ends with the program that the process now runs.
  Result<> exclude(const ProcessIdentity& process);
  Result<> observe(const ProcessIdentity& process);

  // Writes a POSITION record for each announced socket that moved on without one. Does nothing
  // where the kernel has no such iterator.
  Result<> sweep();

  // Socket calls that the kernel kept from the last program that would have seen them, since a
  // thread of the same CPU was in it. Where there are spares it may have been seen before: at most
  // so many are unseen.
  [[nodiscard]] std::uint64_t skipped_calls() const;
  [[nodiscard]] std::vector<ProgramFigures> figures() const;

 private:
  struct Loaded;
  explicit CapturePrograms(std::unique_ptr<Loaded> loaded);
  Result<> set_verdict(const ProcessIdentity& process, std::uint32_t verdict);

  std::unique_ptr<Loaded> loaded_;
};

}  // namespace exa::kernel
