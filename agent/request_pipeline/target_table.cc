#include "agent/request_pipeline/target_table.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

#include "agent/model/clean_text.h"

namespace exa {
namespace {

constexpr std::uint32_t kMostTargets = 65535;   // an index has 16 bits of a TargetId
constexpr std::size_t kLooksForTheDead = 64;    // a bound on the work of one new process
constexpr std::size_t kMostRefused = 65536;     // more in a window: nobody without a parent
constexpr std::uint32_t kWindowsAfterExit = 2;  // exchanges of a dead process may still finish

ServiceHash hash_of(std::string_view service) {
  // FNV-1a: the same in every build, as quotas are part of what a replay must repeat.
  std::uint32_t hash = 2166136261;
  for (const char c : service)
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  return hash;
}

std::shared_ptr<const Target> provisional_target(const TargetTable::Entry& entry) {
  const auto name = entry.exe_name.empty() ? entry.comm.view() : entry.exe_name.view();
  const auto executable = clean_text(name, name.size());
  auto target = std::make_shared<Target>();
  target->process = entry.process;
  target->service_name = executable.empty() ? "unknown_service" : executable;
  target->provisional = true;
  auto resource = std::make_shared<Resource>();
  resource->attributes.push_back({"service.name", target->service_name});
  if (entry.process.tgid != 0) {
    resource->attributes.push_back(
        {"service.instance.id",
         std::to_string(entry.process.tgid) + "-" + std::to_string(entry.process.start_time_ns)});
    resource->attributes.push_back({"process.pid", std::int64_t{entry.process.tgid}});
  }
  if (!executable.empty()) resource->attributes.push_back({"process.executable.name", executable});
  target->resource = std::move(resource);
  return target;
}

bool same_identity(const Target& a, const Target& b) {
  return a.service_name == b.service_name &&
         (a.resource == b.resource ||
          (a.resource && b.resource && a.resource->attributes == b.resource->attributes));
}

}  // namespace

TargetTable::TargetTable(std::uint32_t max_targets, Counters& counters)
    : counters_(counters), max_targets_(std::min(max_targets, kMostTargets)) {
  auto& nameless = entries_.emplace_back();
  nameless.in_use = true;
  nameless.state = State::kProvisional;
  nameless.target = provisional_target(nameless);
  nameless.service = hash_of(nameless.target->service_name);
}

TargetId TargetTable::id_at(std::size_t index) const {
  const auto generation = static_cast<TargetId>(entries_[index].generation & 0x7fff);
  return generation << 16 | static_cast<TargetId>(index);
}

bool TargetTable::knows(TargetId id) const {
  const auto index = index_of(id);
  return index < entries_.size() && entries_[index].in_use && id_at(index) == id;
}

// The prober's scan tells no parent: such a process finds room wherever there is some, unless it
// was refused when the kernel announced it.
bool TargetTable::has_room_for(const ProcessIdentity& process, const ProcessOrigin& origin) const {
  const auto free = max_targets_ - in_use_;
  if (origin.parent_tgid != 0) return of_parent_.may_take(origin.parent_tgid, free);
  return free > 0 && refused_.size() < kMostRefused && !refused_.contains(process.tgid);
}

void TargetTable::reclaim_some() {
  for (std::size_t looks = 0; looks < kLooksForTheDead && entries_.size() > 1; ++looks) {
    reclaim_at_ = reclaim_at_ + 1 < entries_.size() ? reclaim_at_ + 1 : 1;
    const auto& entry = entries_[reclaim_at_];
    if (may_go(entry) && !entry.counted) release(reclaim_at_);
  }
}

void TargetTable::release(std::size_t index) {
  auto& entry = entries_[index];
  if (const auto known = by_tgid_.find(entry.process.tgid);
      known != by_tgid_.end() && known->second == id_at(index))
    by_tgid_.erase(known);
  entry.in_use = false;
  entry.target.reset();
  of_parent_.give_back(entry.origin.parent_tgid);
  free_.push_back(static_cast<std::uint32_t>(index));
  --in_use_;
  last_tgid_ = 0;
}

TargetId TargetTable::add(const ProcessIdentity& process, const ProcessOrigin& origin) {
  if (!has_room_for(process, origin)) reclaim_some();
  if (!has_room_for(process, origin)) {
    if (refused_.size() < kMostRefused) refused_.insert(process.tgid);
    counters_.add(in_use_ < max_targets_ ? Counter::kTargetsShare : Counter::kTargetsOverflow);
    forget_newest(process.tgid);  // who had the number, or the name, before is not who has it now
    return kNoTarget;
  }
  refused_.erase(process.tgid);
  std::size_t index;
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else {
    index = entries_.size();
    entries_.emplace_back();
  }
  const auto generation = static_cast<std::uint16_t>(entries_[index].generation + 1);
  auto& entry = entries_[index];
  entry = Entry{};
  entry.generation = generation;
  entry.in_use = true;
  entry.process = process;
  entry.origin = origin;
  of_parent_.take(origin.parent_tgid);
  ++in_use_;
  const auto id = id_at(index);
  if (const auto known = by_tgid_.find(process.tgid); known != by_tgid_.end()) {
    entries_[index_of(known->second)].exited = true;
    entries_[index].previous = known->second;
    known->second = id;
  } else {
    by_tgid_.emplace(process.tgid, id);
  }
  last_tgid_ = 0;
  return id;
}

// Of a process that nobody announced. Only the word about one that lived when this exchange began
// is about it.
TargetId TargetTable::add_unannounced(std::uint32_t tgid, MonotonicTime began) {
  const auto id = add({.tgid = tgid});
  if (id != kNoTarget) entries_[index_of(id)].since = began;
  return id;
}

void TargetTable::forget_newest(std::uint32_t tgid) {
  const auto known = by_tgid_.find(tgid);
  if (known == by_tgid_.end()) return;
  entries_[index_of(known->second)].exited = true;
  by_tgid_.erase(known);
  last_tgid_ = 0;
}

TargetId TargetTable::succeed(TargetId id, MonotonicTime since, TargetId previous) {
  const auto process = at(id).process;
  const auto origin = at(id).origin;  // a copy: the entries may move
  const auto next = add(process, origin);
  if (next == kNoTarget) return next;
  auto& entry = entries_[index_of(next)];
  entry.since = since;
  entry.previous = previous;
  entry.comm = at(id).comm;
  entry.exe_name = at(id).exe_name;
  entry.announced = at(id).announced;
  return next;
}

void TargetTable::announce(TargetId id, const ProcessEvent& event) {
  auto& entry = entries_[index_of(id)];
  entry.process = event.process;  // a target of the first scan knew the start in ticks only
  of_parent_.give_back(entry.origin.parent_tgid);  // the prober may have told of it first
  entry.origin = {.parent_tgid = event.parent_tgid, .cgroup_id = event.cgroup_id};
  of_parent_.take(entry.origin.parent_tgid);
  if (!entry.announced.known()) entry.since = event.time;
  entry.announced = event.time;
  entry.comm = event.comm;
  entry.exe_name = event.exe_name;
  last_tgid_ = 0;
}

void TargetTable::learn_clock(const ProcessIdentity& process, MonotonicTime lived) {
  if (lived.known() && process.start_time_ns > lived.ns)
    suspended_ns_ = std::max(suspended_ns_, process.start_time_ns - lived.ns);
}

MonotonicTime TargetTable::born(const ProcessIdentity& process) const {
  return {process.start_time_ns - std::min(process.start_time_ns, suspended_ns_)};
}

void TargetTable::on_process(const ProcessEvent& event) {
  learn_clock(event.process, event.time);
  auto id = kNoTarget;
  if (const auto known = by_tgid_.find(event.process.tgid); known != by_tgid_.end()) {
    const auto& entry = at(known->second);
    if (same_process(entry.process, event.process)) {
      // Announced anew, it runs another program, or the prober may not have heard. If its name is
      // the same the answer tells; else what is known is about what it ran before.
      const bool same_program =
          !entry.announced.known() || entry.exe_name == event.exe_name || entry.as_of >= event.time;
      if (same_program) id = known->second;
    } else if (entry.process.start_time_ns > event.process.start_time_ns) {
      return;
    }
  }
  if (id == kNoTarget)
    id = add(event.process, {.parent_tgid = event.parent_tgid, .cgroup_id = event.cgroup_id});
  if (id != kNoTarget) announce(id, event);
}

void TargetTable::on_process_exit(std::uint32_t tgid, MonotonicTime time) {
  const auto known = by_tgid_.find(tgid);
  if (known == by_tgid_.end()) return;
  auto id = known->second;
  // The ring may be behind the prober, who told of the next owner of the number already.
  while (id != kNoTarget && time < at(id).since)
    id = before(id);
  if (id == kNoTarget) return;
  auto& entry = entries_[index_of(id)];
  entry.exited = true;
  entry.exited_at = time;
  last_tgid_ = 0;
}

TargetId TargetTable::before(TargetId id) const {
  const auto previous = at(id).previous;
  return knows(previous) ? previous : kNoTarget;
}

ProcessOrigin TargetTable::origin_of(std::uint32_t tgid) const {
  const auto known = by_tgid_.find(tgid);
  return known == by_tgid_.end() ? ProcessOrigin{} : at(known->second).origin;
}

InlineString<16> TargetTable::comm_of(std::uint32_t tgid) const {
  const auto known = by_tgid_.find(tgid);
  return known == by_tgid_.end() ? InlineString<16>{} : at(known->second).comm;
}

// The entry that the prober's word is about: of that process, and of the program that it ran then.
TargetId TargetTable::entry_about(TargetId newest, const Target& target) const {
  for (auto id = newest; id != kNoTarget; id = before(id)) {
    const auto& entry = at(id);
    // One made for an exchange of a process that nobody announced has no start time.
    const bool same = entry.process.start_time_ns == 0
                          ? born(target.process) <= entry.since
                          : same_process(entry.process, target.process);
    if (same && (!target.as_of.known() || entry.since <= target.as_of)) return id;
  }
  return kNoTarget;
}

TargetTable::Answer TargetTable::on_target(const Target& target) {
  const auto& process = target.process;
  if (process.tgid == 0) {
    auto nameless = std::make_shared<Target>(*entries_[0].target);
    nameless->observed = target.observed;
    nameless->undecided = !target.observed;
    entries_[0].target = std::move(nameless);
    return {};
  }
  Answer answer;
  const auto as_of = target.as_of.known() ? target.as_of : MonotonicTime{UINT64_MAX};
  learn_clock(process, target.as_of);
  if (const auto known = by_tgid_.find(process.tgid); known == by_tgid_.end()) {
    answer.id = add(process);
    if (answer.id != kNoTarget) entries_[index_of(answer.id)].since = born(process);
  } else if (const auto id = entry_about(known->second, target); id == kNoTarget) {
    if (at(known->second).process.start_time_ns >= process.start_time_ns) return {};
    answer.id = add(process);  // the kernel's record of it is still in the ring
    if (answer.id != kNoTarget) entries_[index_of(answer.id)].since = target.as_of;
  } else {
    auto& entry = entries_[index_of(id)];
    answer = {.id = id, .asked = id};
    const bool named = entry.state != State::kUnresolved;
    if (entry.state == State::kResolved && same_identity(*entry.target, target)) {
      entry.as_of = std::max(entry.as_of, as_of);
      // Judged by other rules it is who it was: its series go on.
      const bool judged_anew =
          entry.target->observed != target.observed || entry.target->undecided != target.undecided;
      if (judged_anew && id == known->second) entry.target = std::make_shared<const Target>(target);
      return answer;
    }
    if (named && id != known->second) return {};  // late word about what is past
    if (named) {
      const bool asked = awaits_answer(entry);
      answer.id = succeed(id, asked ? entry.announced : entry.since, asked ? id : entry.previous);
      entries_[index_of(id)].as_of = as_of;  // it has its answer: it is past
    }
  }
  if (answer.id == kNoTarget) return answer;
  auto& entry = entries_[index_of(answer.id)];
  entry.process = process;
  entry.state = State::kResolved;
  entry.as_of = as_of;
  entry.target = std::make_shared<const Target>(target);
  entry.service = hash_of(target.service_name);
  entry.program = kNoTarget;
  return answer;
}

TargetId TargetTable::id_of(std::uint32_t tgid, MonotonicTime began) {
  if (tgid == last_tgid_ && tgid != 0 && at(last_id_).since <= began) return last_id_;
  const auto known = by_tgid_.find(tgid);
  if (known == by_tgid_.end()) return add_unannounced(tgid, began);
  const auto newest = known->second;
  auto id = newest;
  while (began < at(id).since) {
    const auto previous = before(id);
    if (previous == kNoTarget) break;
    if (at(previous).exited_at.known() && at(previous).exited_at < began) break;
    id = previous;
  }
  if (began < born(at(id).process)) return kNoTarget;
  // Somebody else's who has the number now and was not announced.
  if (at(id).exited_at.known() && at(id).exited_at < began) return add_unannounced(tgid, began);
  if (at(id).process.start_time_ns == 0)
    entries_[index_of(id)].since = std::min(at(id).since, began);
  if (id == newest && !at(id).exited) {
    last_tgid_ = tgid;
    last_id_ = id;
  }
  return id;
}

TargetId TargetTable::resolve_provisionally(TargetId id) {
  if (!awaits_answer(id)) return id;
  if (at(id).state != State::kUnresolved) {
    entries_[index_of(id)].as_of = at(id).announced;
    if (attribute_text(at(id).target->resource->attributes, "process.executable.name") ==
        at(id).exe_name.view())
      return id;
    id = succeed(id, at(id).announced, id);
    if (id == kNoTarget) return id;
  }
  auto& entry = entries_[index_of(id)];
  entry.state = State::kProvisional;
  entry.as_of = entry.announced;
  entry.target = provisional_target(entry);
  entry.service = hash_of(entry.target->service_name);
  entry.program = kNoTarget;
  return id;
}

void TargetTable::close_window(const SeriesRegistry& registry) {
  refused_.clear();
  bool any_due = false;
  for (auto& entry : entries_)
    if (entry.in_use && entry.exited && ++entry.windows_since_exit > kWindowsAfterExit)
      any_due = true;
  if (!any_due) return;
  std::vector<bool> has_series(entries_.size());
  for (SeriesIndex series = 0; series < registry.index_bound(); ++series)
    if (const auto& one = registry.at(series); one.live && !is_program(one.key.target))
      has_series[index_of(one.key.target)] = true;
  for (std::size_t index = 1; index < entries_.size(); ++index) {
    auto& entry = entries_[index];
    if (!may_go(entry) || entry.windows_since_exit <= kWindowsAfterExit || has_series[index])
      continue;
    release(index);
  }
}

}  // namespace exa
