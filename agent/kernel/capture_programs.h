// The BPF programs of capture: loaded, attached, and gone with this object, since the links are
// held here and nowhere else.
// Prober thread. Owned by the prober. Memory: the rings, and the kernel's own accounting.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "agent/kernel/features.h"
#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

struct bpf_object;

namespace exa::kernel {

struct CaptureConfig {
  std::uint32_t capture_budget_bytes = 4096;  // a run, at most EXA_MAX_CAPTURE_BYTES
  std::uint32_t ignore_after_runs = 16;
  std::uint32_t retry_after_runs = 1024;
  std::uint32_t event_ring_bytes = 8 << 20;  // all data rings together; a power of two
  std::uint32_t event_rings = 1;             // a power of two, see suggested_event_rings()
  std::uint32_t control_ring_bytes = 256 << 10;
  std::vector<std::uint16_t> included_ports{};  // empty: every port; at most EXA_MAX_PORTS
  std::vector<std::uint16_t> excluded_ports{};  // at most EXA_MAX_PORTS
  bool call_facts = true;                       // what makes the account of an exchange
  bool call_sleeps = false;  // SLEEPS records with the calls; needs ThreadSleeps, and call_facts
  bool late_deliveries = false;  // answers that were acknowledged late
  bool tls = false;              // TLS programs will be loaded beside these
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

enum class Verdict : std::uint8_t { kUnjudged, kObserved, kExcluded };

// A process that wanted more than its share.
struct NoisyProcess {
  std::uint32_t tgid = 0;
  std::string comm;
  std::uint64_t refused_chunks = 0;     // of a data ring
  std::uint64_t refused_tls_calls = 0;  // of the TLS streams
};

// A verdict that is being made: about the program that one process ran when this was opened, and
// about no other. If the process has ended by then, or runs another program, enter() changes
// nothing, so whoever makes it reads /proc in between and needs no look back.
// Borrows the map of its CapturePrograms.
class OpenVerdict {
 public:
  // False: nothing was entered, as there is nobody any more whom it could be about.
  Result<bool> enter(Verdict verdict) const;

 private:
  friend class CapturePrograms;
  OpenVerdict(UniqueFd process, int map_fd) : process_(std::move(process)), map_fd_(map_fd) {}
  UniqueFd process_;  // pidfd
  int map_fd_;
};

class CapturePrograms {
 public:
  // Opens and loads. Nothing is observed before attach().
  static Result<CapturePrograms> load(const CaptureConfig& config, const KernelFeatures& features);

  CapturePrograms(CapturePrograms&&) noexcept;
  CapturePrograms& operator=(CapturePrograms&&) noexcept;
  ~CapturePrograms();

  // First the programs that see processes end and execute, so that verdicts can be entered before
  // anything is observed; attach() does it if nobody did.
  Result<> attach_processes();
  Result<> attach();
  // Nothing more is observed; maps and rings stay readable. Returns when no program runs any more.
  void detach();

  // Borrowed; inherited copies work without capabilities. One reader reads all data rings.
  [[nodiscard]] std::vector<int> event_ring_fds() const;
  [[nodiscard]] int control_ring_fd() const;
  [[nodiscard]] int counters_fd() const;
  // For programs that are loaded beside these and share maps.
  [[nodiscard]] const bpf_object& object() const;
  // Of the kernel that the programs were loaded into.
  [[nodiscard]] const KernelFeatures& features() const;

  // Nothing if there is no such process. Before attach_processes() an exec goes unnoticed.
  [[nodiscard]] Result<std::optional<OpenVerdict>> open_verdict(std::uint32_t tgid) const;
  // A process of the agent itself: excluded whatever it executes.
  Result<> exclude_for_good(std::uint32_t tgid) const;
  // After verdicts were entered: sockets are judged anew with their next bytes.
  void put_verdicts_in_force() const;

  // Who was refused anything, in any order; at most some hundred.
  [[nodiscard]] std::vector<NoisyProcess> noisy_processes() const;

  // Writes a POSITION record for each announced socket that moved on without one.
  Result<> sweep();

  // Socket calls that the kernel kept from the last program that would have seen them, since a
  // thread of the same CPU was in it. Where there are spares it may have been seen before: at most
  // so many are unseen.
  [[nodiscard]] std::uint64_t skipped_calls() const;
  [[nodiscard]] std::vector<ProgramFigures> figures() const;

 private:
  struct Loaded;
  explicit CapturePrograms(std::unique_ptr<Loaded> loaded);
  Result<> attach_in_order(std::span<const char* const> programs);

  std::unique_ptr<Loaded> loaded_;
};

}  // namespace exa::kernel
