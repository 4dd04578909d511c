// What the running kernel offers, asked once before anything is loaded, and the capture rung that
// follows from it. Also what `check` prints.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kernel/rungs.h"

namespace exa::kernel {

enum class FeatureId {
  kBtf,
  kRung,  // one for each rung of this build
  kSocketState,
  kRingBuffer,
  kSocketStorage,
  kArrival,
  kSocketDestroy,
  kResend,
  kDelivered,
  kProcessEvents,
  kSweep,
  kUprobeMulti,
  kProbeGuard,
  kThreadLook,
  kThreadSleeps,
  kUserReads,
  kCapabilityBpf,
  kCapabilityPerfmon,
  kCapabilityPtrace,
  kCapabilityReadSearch,
  kCapabilityRestore,
};

struct Feature {
  FeatureId id;
  std::string_view name;
  bool present = false;
  bool required = false;          // without it the agent cannot run; of rungs, without any of them
  std::string_view cost_of_lack;  // a sentence, for when it is absent
};

struct KernelFeatures {
  std::string release;   // uname -r
  std::string lockdown;  // "none", "integrity", "confidentiality" or "unknown"
  std::vector<Feature> features;
  // Programs on tracepoints may be preempted (Linux 7): they then need spares.
  bool preempts_tracepoints = false;
  Rung rung = Rung::kNone;
  std::string rung_sentence;

  [[nodiscard]] bool has(FeatureId id) const;
  [[nodiscard]] bool can_run() const;
  // Every lack that keeps the agent from running, one sentence each; empty if it can run.
  [[nodiscard]] std::string refusal() const;
};

KernelFeatures probe_kernel_features();

// The inode of this process' PID namespace; 0 if that is the host's. In another one, of a container
// or of a node that is a container, the processes around it have no numbers and are not observed.
std::uint32_t pid_namespace_inode();

}  // namespace exa::kernel
