#include "agent/discovery/target_builder.h"

#include <fnmatch.h>

#include <algorithm>

#include "agent/config/value_text.h"
#include "agent/discovery/base_name.h"
#include "agent/discovery/container/cgroup_path.h"
#include "agent/model/clean_text.h"

namespace exa {
namespace {

constexpr std::size_t kMaxNameBytes = 255;
constexpr std::size_t kMaxAttributes = 64;

enum class Match : std::uint8_t { kNo, kUnknown, kYes };

// Whether a pattern over paths fits, of which the last component may be all that is known. '*' and
// '?' cross '/' there, so that a name that does not fit says little about its path.
Match match_executable(const std::string& pattern, const std::string& exe) {
  const auto fits = [](const std::string& glob, const std::string& text) {
    return fnmatch(glob.c_str(), text.c_str(), 0) == 0;
  };
  const auto sure = [](bool match) { return match ? Match::kYes : Match::kNo; };
  if (exe.empty()) return Match::kUnknown;
  if (pattern.find('/') == std::string::npos)
    return sure(fits(pattern, std::string(base_name(exe))));
  if (exe.find('/') != std::string::npos) return sure(fits(pattern, exe));
  const std::string name(base_name(pattern));
  // Every path has a folder before its last component.
  if (pattern.size() == name.size() + 2 && pattern.front() == '*' && fits(name, exe))
    return Match::kYes;
  const bool literal = name.find_first_of("*?[\\") == std::string::npos;
  return literal && name != exe ? Match::kNo : Match::kUnknown;
}

Match any_of(const TargetPatterns& patterns, const ProcessFacts& facts) {
  auto best = Match::kNo;
  for (const auto& glob : patterns.exe)
    best = std::max(best, match_executable(glob, facts.exe_path));
  for (const auto pid : patterns.pid)
    if (pid == facts.process.tgid) best = Match::kYes;
  for (const auto& prefix : patterns.cgroup)
    best = std::max(best, facts.cgroup.empty()               ? Match::kUnknown
                          : facts.cgroup.starts_with(prefix) ? Match::kYes
                                                             : Match::kNo);
  return best;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string value_of(const Pairs& pairs, std::string_view key) {
  std::string value;
  for (const auto& [name, content] : pairs)
    if (name == key) value = content;
  return value;
}

struct ServiceName {
  std::string text;
  bool chosen = true;  // by configuration or by the process itself
};

ServiceName name_of(const TargetSettings& settings, const ProcessFacts& facts, const Pairs& own,
                    const CgroupIdentity& cgroup) {
  for (const auto& [glob, name] : settings.service_names)
    if (matches_executable(glob, facts.exe_path.empty() ? facts.comm : facts.exe_path))
      return {name};
  if (!facts.environment.service_name.empty()) return {facts.environment.service_name};
  if (auto name = value_of(own, "service.name"); !name.empty()) return {name};
  const auto found = [](std::string name) { return ServiceName{std::move(name), false}; };
  if (!cgroup.systemd_unit.empty()) return found(cgroup.systemd_unit);
  if (!facts.script.empty()) return found(facts.script);
  if (!facts.exe_path.empty()) return found(std::string(base_name(facts.exe_path)));
  return found(facts.comm.empty() ? "unknown_service" : "unknown_service:" + facts.comm);
}

// Keys that say which process, container and pod this is: its own environment may not set them.
bool is_ours(std::string_view key) {
  return key == "service.name" || key == "service.instance.id" || key == "process.pid" ||
         key == "process.executable.name" || key.starts_with("telemetry.sdk.") ||
         key.starts_with("container.") || key.starts_with("k8s.");
}

}  // namespace

bool matches_executable(const std::string& pattern, const std::string& exe_path) {
  const bool of_path = pattern.find('/') != std::string::npos;
  if (!of_path) return fnmatch(pattern.c_str(), std::string(base_name(exe_path)).c_str(), 0) == 0;
  if (exe_path.find('/') != std::string::npos)
    return fnmatch(pattern.c_str(), exe_path.c_str(), 0) == 0;
  const std::string name(base_name(pattern));
  const bool says_something = name.find_first_not_of("*?") != std::string::npos;
  return says_something && fnmatch(name.c_str(), exe_path.c_str(), 0) == 0;
}

bool may_exclude(const TargetSettings& settings) {
  const auto says_something = [](const TargetPatterns& patterns) {
    return !patterns.exe.empty() || !patterns.pid.empty() || !patterns.cgroup.empty();
  };
  return says_something(settings.include) || says_something(settings.exclude);
}

Judgement judge(const TargetSettings& settings, const ProcessFacts& facts) {
  const auto excluded = any_of(settings.exclude, facts);
  if (excluded == Match::kYes) return Judgement::kExcluded;
  const auto& include = settings.include;
  const bool everything = include.exe.empty() && include.pid.empty() && include.cgroup.empty();
  const auto included = everything ? Match::kYes : any_of(include, facts);
  if (included == Match::kNo) return Judgement::kExcluded;
  return excluded == Match::kUnknown || included == Match::kUnknown ? Judgement::kUndecided
                                                                    : Judgement::kObserved;
}

Target build_target(const TargetSettings& settings, const HostIdentity& host,
                    const ProcessFacts& facts) {
  const auto own = parse_pairs(facts.environment.resource_attributes);
  Target target;
  target.process = facts.process;
  const auto judgement = judge(settings, facts);
  target.observed = judgement == Judgement::kObserved;
  target.undecided = judgement == Judgement::kUndecided;
  const auto cgroup = identify_cgroup(facts.cgroup, host.node_cgroup);
  const auto name = name_of(settings, facts, own, cgroup);
  target.service_name = clean_text(name.text, kMaxNameBytes);
  target.name_chosen = name.chosen;

  auto resource = std::make_shared<Resource>();
  auto& attributes = resource->attributes;
  const auto add = [&](const std::string& key, std::string_view value) {
    if (!value.empty() && attributes.size() < kMaxAttributes)
      attributes.push_back({clean_text(key, kMaxNameBytes), clean_text(value, kMaxNameBytes)});
  };
  const auto executable =
      facts.exe_path.empty() ? facts.comm : std::string(base_name(facts.exe_path));
  // Most telling first: what does not fit into a message is left out from the end.
  add("service.name", target.service_name);
  add("service.instance.id", host.host_name + "-" + std::to_string(facts.process.tgid) + "-" +
                                 std::to_string(facts.process.start_time_ns / 1'000'000));
  attributes.push_back({"process.pid", std::int64_t{facts.process.tgid}});
  add("process.executable.name", executable);
  add("host.name", host.host_name);
  add("os.type", "linux");
  add("telemetry.sdk.name", "exemplar-agent");
  add("telemetry.sdk.language", "cpp");
  add("telemetry.sdk.version", host.agent_version);
  add("container.id", cgroup.container_id);
  add("container.name", cgroup.container_name);
  add("container.runtime.name", runtime_name(cgroup.runtime));
  add("k8s.pod.uid", cgroup.pod_uid);
  const auto absent = [&](const std::string& key) {
    return !is_ours(key) && !has_attribute(attributes, key);
  };
  for (const auto& [key, value] : own)
    if (absent(key)) add(key, value);
  for (const auto& [key, value] : settings.resource)
    if (!has_attribute(attributes, key)) add(key, value);
  target.resource = std::move(resource);
  return target;
}

}  // namespace exa
