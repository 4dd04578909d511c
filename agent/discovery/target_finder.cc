#include "agent/discovery/target_finder.h"

#include "agent/discovery/base_name.h"
#include "agent/model/clean_text.h"
#include "agent/model/version.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

namespace exa {
namespace {

// The kernel tells the last component of the executable's path, cut at its bound.
bool runs(const ProcessFacts& facts, const ProcessAnnouncement& announced) {
  constexpr std::size_t kToldBytes = 63;
  if (facts.exe_path.empty() || announced.exe_name.empty()) return true;
  const auto name = base_name(facts.exe_path);
  return name.substr(0, kToldBytes) == announced.exe_name;
}

// What it says of itself may be another program's though the executable is the same, as with one
// script that executes the next.
bool is_as_announced(const ProcessFacts& facts, const ProcessAnnouncement& announced) {
  return same_process(facts.process, announced.process) && runs(facts, announced) &&
         (!announced.forked || facts.forked);
}

// Its memory is a copy of its parent's, so what that says of itself holds for both. Another program
// may have the parent's number by now, and the parent may run another one.
bool is_copy_of(const ProcessFacts& parent, const ProcessAnnouncement& announced) {
  return !parent.is_kernel_thread && !parent.exe_path.empty() && !announced.exe_name.empty() &&
         runs(parent, announced) && parent.process.start_time_ns <= announced.process.start_time_ns;
}

}  // namespace

FoundTarget TargetFinder::found(const ProcessFacts& facts) const {
  return {build_target(settings_, host_, facts), identify_cgroup(facts.cgroup, host_.node_cgroup)};
}

std::optional<FoundTarget> TargetFinder::look_at(std::uint32_t tgid) {
  const auto facts = reader_.read(tgid);
  if (!facts || facts->is_kernel_thread) return std::nullopt;
  matches_.note(*facts);
  return found(*facts);
}

// Of one that is gone, or that ended while it was looked at: its memory goes before its name does.
void TargetFinder::add_words_of_parent(ProcessFacts& facts,
                                       const ProcessAnnouncement& announced) const {
  const bool has_words = !facts.script.empty() || facts.environment != OtelEnvironment{};
  if (has_words || !announced.forked || announced.parent_tgid == 0) return;
  auto parent = reader_.read(announced.parent_tgid);
  if (!parent || !is_copy_of(*parent, announced)) return;
  facts.environment = std::move(parent->environment);
  facts.script = std::move(parent->script);
}

ResolvedTarget TargetFinder::resolve(const ProcessAnnouncement& announced) {
  auto facts = reader_.read(announced.process.tgid);
  // What belongs to somebody else by now, or runs another program, says nothing about the announced
  // one.
  const bool looked_at = facts && !facts->is_kernel_thread && is_as_announced(*facts, announced);
  if (!looked_at) {
    facts = ProcessFacts{};
    facts->comm = announced.comm;
    facts->exe_path = announced.exe_name;
  }
  add_words_of_parent(*facts, announced);
  cgroups_.note(announced.cgroup_id, facts->cgroup);
  if (facts->cgroup.empty()) facts->cgroup = cgroups_.path_of(announced.cgroup_id, monotonic_now());
  // A dying process has no executable any more, and a comm is cut at 15 bytes.
  if (facts->exe_path.empty()) facts->exe_path = announced.exe_name;
  // The instance id is made of what /proc knows, so that both ways give the same one.
  facts->process = {.tgid = announced.process.tgid,
                    .start_time_ns = cut_to_tick(announced.process.start_time_ns)};
  ResolvedTarget resolved{.found = found(*facts), .looked_at = looked_at};
  resolved.found.target.process = announced.process;
  return resolved;
}

namespace {

std::string own_node_cgroup() {
  const auto self = ProcReader({}).read(static_cast<std::uint32_t>(getpid()));
  return self ? std::string(node_cgroup(self->cgroup)) : std::string();
}

}  // namespace

HostIdentity this_host() {
  // In a pod the host is the node; the kernel would tell the pod's own name, which passes with it.
  if (const char* const node = std::getenv("NODE_NAME"); node != nullptr && *node != '\0')
    return {.host_name = clean_text(node, 255),
            .agent_version = agent_version(),
            .node_cgroup = own_node_cgroup()};
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) name[0] = '\0';
  return {.host_name = clean_text(name.data(), 255),
          .agent_version = agent_version(),
          .node_cgroup = own_node_cgroup()};
}

}  // namespace exa
