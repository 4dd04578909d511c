// Finds the targets of this host: one by one at the start, and when the kernel announces one.
// Prober thread, owned by the prober's loop. Keeps the rules, which of them fitted somebody, and
// the paths of cgroups: whoever asks gets what /proc says now.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/discovery/cgroup_paths.h"
#include "agent/discovery/container/cgroup_path.h"
#include "agent/discovery/proc_reader.h"
#include "agent/discovery/rule_matches.h"
#include "agent/discovery/target_builder.h"

namespace exa {

inline constexpr std::size_t kMaxScannedProcesses = 16384;

// What the kernel said of a process when it announced it; used where /proc has nothing any more.
struct ProcessAnnouncement {
  ProcessIdentity process;
  std::string comm;
  std::string exe_name;
  std::uint64_t cgroup_id = 0;
  std::uint32_t parent_tgid = 0;
  bool forked = false;  // runs the program that its parent ran when it made it
};

struct FoundTarget {
  Target target;
  CgroupIdentity cgroup;
};

// Of an announced process.
struct ResolvedTarget {
  FoundTarget found;
  bool looked_at = false;  // still there and running that program; else known by the announcement
};

class TargetFinder {
 public:
  TargetFinder(TargetSettings settings, HostIdentity host, ProcReader reader,
               CgroupPaths cgroups = {})
      : settings_(std::move(settings)),
        matches_(settings_.include),
        host_(std::move(host)),
        reader_(std::move(reader)),
        cgroups_(std::move(cgroups)) {}

  // At most kMaxScannedProcesses.
  [[nodiscard]] std::vector<std::uint32_t> processes() const {
    return reader_.processes(kMaxScannedProcesses);
  }
  // Nothing of one that is gone or has no executable.
  [[nodiscard]] std::optional<FoundTarget> look_at(std::uint32_t tgid);
  [[nodiscard]] ResolvedTarget resolve(const ProcessAnnouncement& announced);
  void set_settings(TargetSettings settings) {
    settings_ = std::move(settings);
    matches_ = RuleMatches(settings_.include);
  }
  // Include rules that no process fits of those that were looked at.
  [[nodiscard]] std::vector<std::string> unmatched() const { return matches_.unmatched(); }

 private:
  [[nodiscard]] FoundTarget found(const ProcessFacts& facts) const;
  void add_words_of_parent(ProcessFacts& facts, const ProcessAnnouncement& announced) const;

  TargetSettings settings_;
  RuleMatches matches_;
  HostIdentity host_;
  ProcReader reader_;
  CgroupPaths cgroups_;
};

HostIdentity this_host();

}  // namespace exa
