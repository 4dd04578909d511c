#include "agent/request_pipeline/program_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace exa {
namespace {

constexpr std::uint32_t kMostPrograms = 65536;  // an index has 16 bits of a TargetId

bool is_of_process(const Attribute& attribute) {
  return attribute.key == "service.instance.id" || attribute.key == "process.pid";
}

// Everything that the instances of one program have in common, lengths first, so that no crafted
// value reads like two.
std::string identity_of(const Target& instance) {
  std::string identity;
  const auto add = [&](std::string_view text) {
    identity += std::to_string(text.size());
    identity += ':';
    identity += text;
  };
  add(instance.service_name);
  if (instance.resource == nullptr) return identity;
  for (const auto& attribute : instance.resource->attributes) {
    if (is_of_process(attribute)) continue;
    add(attribute.key);
    add(attribute_text(attribute.value));
  }
  return identity;
}

std::string instance_id_of(const Target& instance, std::string_view identity) {
  // FNV-1a: the same after every start of the agent.
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : identity)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), hash, 16).ptr;
  const auto& attributes = instance.resource->attributes;
  std::string id;
  for (const auto* key : {"host.name", "process.executable.name"})
    if (const auto text = attribute_text(attributes, key); !text.empty()) id += text + "-";
  return id.append(digits.begin(), end);
}

std::shared_ptr<const Target> program_of(const Target& instance, std::string_view identity) {
  auto target = std::make_shared<Target>(instance);
  target->process = {};
  if (instance.resource == nullptr) return target;
  auto resource = std::make_shared<Resource>();
  for (const auto& attribute : instance.resource->attributes)
    if (!is_of_process(attribute)) resource->attributes.push_back(attribute);
  resource->attributes.push_back({"service.instance.id", instance_id_of(instance, identity)});
  target->resource = std::move(resource);
  return target;
}

}  // namespace

ProgramTable::ProgramTable(std::uint32_t max_programs)
    : max_programs_(std::min(max_programs, kMostPrograms)) {}

TargetId ProgramTable::id_at(std::size_t index) const {
  const auto generation = static_cast<TargetId>(entries_[index].generation & 0x7fff);
  return kProgramBit | generation << 16 | static_cast<TargetId>(index);
}

bool ProgramTable::knows(TargetId id) const {
  const auto index = index_of(id);
  return index < entries_.size() && entries_[index].target != nullptr && id_at(index) == id;
}

bool ProgramTable::has_room_for(const ProcessOrigin& origin) const {
  const auto free = max_programs_ - size();
  const auto known = of_cgroup_.find(origin.cgroup_id);
  const auto of_cgroup = known == of_cgroup_.end() ? 0 : known->second;
  return of_parent_.may_take(origin.parent_tgid, free) && of_cgroup < max_programs_ * 3 / 4;
}

TargetId ProgramTable::id_of(const Target& instance, const ProcessOrigin& origin) {
  auto identity = identity_of(instance);
  if (const auto known = by_identity_.find(identity); known != by_identity_.end())
    return known->second;
  if (!has_room_for(origin)) return kNoTarget;
  std::size_t index = entries_.size();
  if (free_.empty()) {
    entries_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  auto& entry = entries_[index];
  ++entry.generation;
  entry.target = program_of(instance, identity);
  entry.identity = identity;
  entry.origin = origin;
  entry.made_in_this_window = true;
  of_parent_.take(origin.parent_tgid);
  ++of_cgroup_[origin.cgroup_id];
  const auto id = id_at(index);
  by_identity_.emplace(std::move(identity), id);
  return id;
}

void ProgramTable::release(std::size_t index) {
  auto& entry = entries_[index];
  by_identity_.erase(entry.identity);
  of_parent_.give_back(entry.origin.parent_tgid);
  if (const auto known = of_cgroup_.find(entry.origin.cgroup_id);
      known != of_cgroup_.end() && --known->second == 0)
    of_cgroup_.erase(known);
  entry.target.reset();
  entry.identity.clear();
  free_.push_back(static_cast<std::uint32_t>(index));
}

void ProgramTable::close_window(const SeriesRegistry& registry) {
  if (by_identity_.empty()) return;
  std::vector<bool> has_series(entries_.size());
  for (SeriesIndex index = 0; index < registry.index_bound(); ++index) {
    const auto& series = registry.at(index);
    if (series.live && is_program(series.key.target))
      has_series[index_of(series.key.target)] = true;
  }
  for (std::size_t index = 0; index < entries_.size(); ++index) {
    auto& entry = entries_[index];
    if (entry.target == nullptr) continue;
    // One that found no place for a series is asked for again soon.
    if (!std::exchange(entry.made_in_this_window, false) && !has_series[index]) release(index);
  }
}

}  // namespace exa
