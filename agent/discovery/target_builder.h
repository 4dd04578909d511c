// Who a process is to the backends: its service.name, its resource, and whether it is observed.
// Pure. Rules of naming: configuration, the process' own OTEL_SERVICE_NAME and
// OTEL_RESOURCE_ATTRIBUTES, its systemd unit, its service of a compose file, the script an
// interpreter runs, its executable.
#pragma once

#include <string>
#include <string_view>

#include "agent/config/config.h"
#include "agent/discovery/proc_reader.h"
#include "exa/model/target.h"

namespace exa {

// The same for every target of this host.
struct HostIdentity {
  std::string host_name;
  std::string agent_version;
  std::string node_cgroup{};  // of the container that is this node, if it is one
};

// False if the rules let every process pass: then nobody need wait for a judgement.
bool may_exclude(const TargetSettings& settings);

// Include and exclude by executable, pid and cgroup. Ports are judged connection by connection in
// the kernel. Exclude wins; with no include pattern everything is included. Of a process that was
// gone before it was looked at only its number and the executable's name are known; where they do
// not decide, nothing does, and it is not observed.
enum class Judgement : std::uint8_t { kObserved, kExcluded, kUndecided };
Judgement judge(const TargetSettings& settings, const ProcessFacts& facts);

// pattern with '/': against the whole path, '*' crossing '/'; without: against the last component.
// Of a process that was gone before it was looked at only the name is known; then the pattern's
// last component decides, unless it is nothing but wildcards.
bool matches_executable(const std::string& pattern, const std::string& exe_path);

Target build_target(const TargetSettings& settings, const HostIdentity& host,
                    const ProcessFacts& facts);

}  // namespace exa
