// Programs, in which the processes are gathered that live for a single request or so: probes that
// exec curl, cron jobs, fork storms. One instance of a program each would be a series each. A
// program is all that its processes have in common: their resource but for the pid, and with an
// instance id of its own, made of just that, so that two hosts or containers never write one
// series.
//
// Capture thread only, owned by RequestPipeline. Bounded by max_programs; of one parent process at
// most as many as are free, of one cgroup at most three quarters. What finds no place counts in the
// overflow series.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/exchange/process_origin.h"
#include "agent/metrics/fair_shares.h"
#include "agent/metrics/series_registry.h"
#include "exa/model/target.h"

namespace exa {

class ProgramTable {
 public:
  explicit ProgramTable(std::uint32_t max_programs);

  // The program of a process with this target; kNoTarget if there is no place for it.
  TargetId id_of(const Target& instance, const ProcessOrigin& origin);
  [[nodiscard]] bool knows(TargetId id) const;
  [[nodiscard]] const std::shared_ptr<const Target>& target_of(TargetId id) const {
    return entries_[index_of(id)].target;
  }
  // Forgets programs that have no live series.
  void close_window(const SeriesRegistry& registry);
  [[nodiscard]] std::size_t size() const { return by_identity_.size(); }

 private:
  struct Entry {
    std::shared_ptr<const Target> target;  // null: not in use
    std::string identity;
    ProcessOrigin origin;
    std::uint16_t generation = 0;
    bool made_in_this_window = false;
  };
  static std::size_t index_of(TargetId id) { return id & 0xffff; }
  [[nodiscard]] TargetId id_at(std::size_t index) const;
  [[nodiscard]] bool has_room_for(const ProcessOrigin& origin) const;
  void release(std::size_t index);

  std::size_t max_programs_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<std::string, TargetId> by_identity_;
  FairShares<std::uint32_t> of_parent_;
  std::unordered_map<std::uint64_t, std::size_t> of_cgroup_;
};

}  // namespace exa
