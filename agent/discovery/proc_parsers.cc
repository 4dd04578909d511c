#include "agent/discovery/proc_parsers.h"

#include <algorithm>
#include <charconv>

#include "agent/discovery/container/cgroup_path.h"
#include "exa/base/take_until.h"

namespace exa {
namespace {

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

}  // namespace

std::optional<ProcStat> parse_proc_stat(std::string_view text) {
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::nullopt;
  ProcStat stat;
  stat.comm = text.substr(open + 1, close - open - 1);
  auto rest = text.substr(close + 1);
  if (!rest.starts_with(' ')) return std::nullopt;
  rest.remove_prefix(1);
  constexpr std::uint32_t kForkNoExec = 0x40;  // PF_FORKNOEXEC of the kernel's sched.h
  // Fields 3 (state), 4 (parent) ... 9 (flags) ... 22 (start time).
  for (int field = 3; field <= 22; ++field) {
    const auto value = take_until(rest, ' ');
    if (field == 4) {
      const auto parent = number<std::uint32_t>(value);
      if (!parent) return std::nullopt;
      stat.parent = *parent;
    } else if (field == 9) {
      stat.forked = (number<std::uint32_t>(value).value_or(0) & kForkNoExec) != 0;
    } else if (field == 22) {
      const auto start = number<std::uint64_t>(value);
      if (!start) return std::nullopt;
      stat.start_ticks = *start;
    }
  }
  return stat;
}

OtelEnvironment parse_environ(std::string_view bytes) {
  OtelEnvironment found;
  while (!bytes.empty()) {
    const auto end = bytes.find('\0');
    if (end == std::string_view::npos) break;
    const auto variable = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    constexpr std::string_view kName = "OTEL_SERVICE_NAME=";
    constexpr std::string_view kAttributes = "OTEL_RESOURCE_ATTRIBUTES=";
    if (variable.starts_with(kName))
      found.service_name = variable.substr(kName.size());
    else if (variable.starts_with(kAttributes))
      found.resource_attributes = variable.substr(kAttributes.size());
  }
  return found;
}

std::string parse_cgroup(std::string_view text) {
  return choose_cgroup_path(text);
}

std::string systemd_unit(std::string_view cgroup) {
  return identify_cgroup(cgroup).systemd_unit;
}

std::string container_id(std::string_view cgroup) {
  return identify_cgroup(cgroup).container_id;
}

}  // namespace exa
