// Who a process is: from its tgid to the target that its exchanges count for. A tgid with another
// start time, or with another identity after exec, is another target. Entries outlive their process
// until their series are gone.
// Capture thread only, owned by RequestPipeline. Bounded by max_targets, of one parent process at
// most as many as are free; what finds no place counts for the nameless target kNoTarget. The dead
// that never counted under their own name give up their places first.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "agent/capture/events.h"
#include "agent/metrics/fair_shares.h"
#include "agent/metrics/series_registry.h"
#include "agent/request_pipeline/program_table.h"
#include "agent/telemetry/counters.h"
#include "exa/model/target.h"

namespace exa {

class TargetTable {
 public:
  TargetTable(std::uint32_t max_targets, Counters& counters);

  enum class State : std::uint8_t {
    kUnresolved,   // announced by the kernel; nothing counted yet
    kProvisional,  // its exchanges could not wait for the resolved target
    kResolved,
  };
  struct Entry {
    ProcessIdentity process;
    State state = State::kUnresolved;
    bool in_use = false;
    bool exited = false;
    bool counted = false;  // has a series of its own, or a span
    std::uint16_t generation = 0;
    std::uint32_t windows_since_exit = 0;
    ServiceHash service = 0;
    ProcessOrigin origin;
    InlineString<16> comm;
    InlineString<64> exe_name;
    std::shared_ptr<const Target> target;  // null while unresolved
  };

  void on_process(const ProcessEvent& event);
  void on_process_exit(std::uint32_t tgid);
  // The id under which exchanges of this process count from now on; kNoTarget if it found no place
  // or is older than what is known of the tgid.
  TargetId on_target(const Target& target);

  // The id of the process that has this tgid now; an unknown one gets an unresolved entry.
  TargetId id_of(std::uint32_t tgid);
  [[nodiscard]] const Entry& at(TargetId id) const { return entries_[index_of(id)]; }
  [[nodiscard]] bool knows(TargetId id) const;
  // Names an unresolved target by what the kernel said of its process.
  void resolve_provisionally(TargetId id);

  void mark_counted(TargetId id) { entries_[index_of(id)].counted = true; }

  // Forgets processes that have exited and have no live series.
  void close_window(const SeriesRegistry& registry);

  [[nodiscard]] std::size_t size() const { return in_use_; }

 private:
  static std::size_t index_of(TargetId id) { return id & 0xffff; }
  TargetId add(const ProcessIdentity& process, const ProcessOrigin& origin = {});
  [[nodiscard]] bool has_room_for(const ProcessIdentity& process,
                                  const ProcessOrigin& origin) const;
  void reclaim_some();
  void release(std::size_t index);
  TargetId id_at(std::size_t index) const;

  Counters& counters_;
  std::uint32_t max_targets_;
  std::vector<Entry> entries_;  // entry 0 is kNoTarget
  std::vector<std::uint32_t> free_;
  std::unordered_map<std::uint32_t, TargetId> by_tgid_;
  std::uint32_t last_tgid_ = 0;  // most exchanges come in runs of one process
  TargetId last_id_ = kNoTarget;
  std::size_t in_use_ = 0;
  std::size_t reclaim_at_ = 1;
  FairShares<std::uint32_t> of_parent_;
  std::unordered_set<std::uint32_t> refused_;  // in this window, a bounded number
};

}  // namespace exa
