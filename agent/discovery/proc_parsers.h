// Reads the texts of /proc. Their content is chosen by the observed processes: names with brackets,
// newlines and no end are expected. Pure, bounded by the text, never guesses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace exa {

struct ProcStat {
  std::string comm;
  std::uint32_t parent = 0;
  bool forked = false;            // it runs what its parent ran: no exec since
  std::uint64_t start_ticks = 0;  // since boot, in USER_HZ
};

// /proc/PID/stat: "pid (comm) S ppid ...", where comm may hold anything, ')' too.
std::optional<ProcStat> parse_proc_stat(std::string_view text);

// What a process says of itself in its environment, unparsed.
struct OtelEnvironment {
  std::string service_name;         // OTEL_SERVICE_NAME
  std::string resource_attributes;  // OTEL_RESOURCE_ATTRIBUTES
  bool operator==(const OtelEnvironment&) const = default;
};
// /proc/PID/environ: NUL-separated. A variable that the bound of the read cut is left out.
OtelEnvironment parse_environ(std::string_view bytes);

// Parts of what agent/discovery/container says of a process' cgroups: the path among those of
// /proc/PID/cgroup, the unit of a service that systemd started, the id of its container.
std::string parse_cgroup(std::string_view text);
std::string systemd_unit(std::string_view cgroup);
std::string container_id(std::string_view cgroup);

}  // namespace exa
