// Finds the targets of this host: all at the start, one at a time when the kernel announces a
// process. Prober thread, owned by the prober's loop. Keeps nothing but the rules: whoever asks
// gets what /proc says now.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/discovery/container/engine_files.h"
#include "agent/discovery/proc_reader.h"
#include "agent/discovery/target_builder.h"

namespace exa {

inline constexpr std::size_t kMaxScannedProcesses = 16384;

// What the kernel said of a process when it announced it; used where /proc has nothing any more.
struct ProcessAnnouncement {
  ProcessIdentity process;
  std::string comm;
  std::string exe_name;
};

class TargetFinder {
 public:
  // Without engines, containers outside Kubernetes have ids only.
  TargetFinder(TargetSettings settings, HostIdentity host, ProcReader reader = ProcReader(),
               std::optional<EngineFiles> engines = std::nullopt)
      : settings_(std::move(settings)),
        host_(std::move(host)),
        reader_(std::move(reader)),
        engines_(std::move(engines)) {}

  // Every process with an executable.
  [[nodiscard]] std::vector<Target> scan();
  [[nodiscard]] Target resolve(const ProcessAnnouncement& announced);
  void set_settings(TargetSettings settings) { settings_ = std::move(settings); }

 private:
  [[nodiscard]] std::optional<ProcessFacts> read(std::uint32_t tgid);

  TargetSettings settings_;
  HostIdentity host_;
  ProcReader reader_;
  std::optional<EngineFiles> engines_;
};

HostIdentity this_host();

}  // namespace exa
