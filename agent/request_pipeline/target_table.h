// Who a process is: from its tgid to the target that its exchanges count for. A tgid with another
// start time, another program after exec, or another identity is another target; an exchange counts
// for the one whose time it began in. Entries outlive their process until their series are gone.
//
// What the kernel announces is not known until the prober has answered just that: exchanges wait
// meanwhile. Answers carry the time they are about, so that an answer about the program, or the
// owner of the number, before is never taken for one about the present one.
//
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
#include "agent/request_pipeline/span_traffic.h"
#include "agent/telemetry/counters.h"
#include "exa/model/target.h"

namespace exa {

class TargetTable final : public ProcessOrigins {
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
    std::uint32_t held = 0;         // exchanges that wait for it
    MonotonicTime since;            // unknown: for all that anybody knows
    MonotonicTime announced;        // when the kernel did it last
    MonotonicTime as_of;            // about when the prober's answer is
    MonotonicTime exited_at;        // unknown while it lives, or if its end was not seen
    TargetId previous = kNoTarget;  // whose the tgid was before
    TargetId program = kNoTarget;   // of what it runs, if that was asked for
    std::uint32_t windows_since_exit = 0;
    ServiceHash service = 0;
    ProcessOrigin origin;
    SpanTraffic spans;
    InlineString<16> comm;
    InlineString<64> exe_name;
    std::shared_ptr<const Target> target;  // null while unresolved
  };

  [[nodiscard]] ProcessOrigin origin_of(std::uint32_t tgid) const override;
  [[nodiscard]] InlineString<16> comm_of(std::uint32_t tgid) const;

  void on_process(const ProcessEvent& event);
  void on_process_exit(std::uint32_t tgid, MonotonicTime time);

  struct Answer {
    TargetId id = kNoTarget;     // under which exchanges count from now on; or it found no place
    TargetId asked = kNoTarget;  // for which exchanges may be waiting; kNoTarget: nothing changes
  };
  Answer on_target(const Target& target);

  // The id of the process that had this tgid when the exchange began; an unknown one gets an
  // unresolved entry, and one of whom only later owners of the number are known is nameless.
  TargetId id_of(std::uint32_t tgid, MonotonicTime began);
  // When the process was made, by the clock of events; a little late at the most.
  [[nodiscard]] MonotonicTime born(const ProcessIdentity& process) const;
  [[nodiscard]] const Entry& at(TargetId id) const { return entries_[index_of(id)]; }
  [[nodiscard]] bool knows(TargetId id) const;
  // Its exchanges must wait: the prober has not answered yet.
  [[nodiscard]] bool awaits_answer(TargetId id) const { return awaits_answer(at(id)); }
  // False where rules may exclude processes: who was not judged is then left out.
  [[nodiscard]] bool observes_unjudged() const { return entries_[0].target->observed; }
  // Names a target that awaits its answer by what the kernel said of its process. The id under
  // which exchanges that waited for it count.
  TargetId resolve_provisionally(TargetId id);

  void note_held(TargetId id, int difference) {
    entries_[index_of(id)].held += static_cast<std::uint32_t>(difference);
  }
  void note_spans(TargetId id, const Exchange& exchange) {
    entries_[index_of(id)].spans.note(exchange);
  }
  void mark_counted(TargetId id) { entries_[index_of(id)].counted = true; }
  void note_program(TargetId id, TargetId program) { entries_[index_of(id)].program = program; }

  // Forgets processes that have exited and have no live series.
  void close_window(const SeriesRegistry& registry);

  [[nodiscard]] std::size_t size() const { return in_use_; }

 private:
  static std::size_t index_of(TargetId id) { return id & 0xffff; }
  static bool awaits_answer(const Entry& entry) {
    return entry.state == State::kUnresolved || entry.announced > entry.as_of;
  }
  static bool may_go(const Entry& entry) { return entry.in_use && entry.exited && entry.held == 0; }
  TargetId add(const ProcessIdentity& process, const ProcessOrigin& origin = {});
  TargetId add_unannounced(std::uint32_t tgid, MonotonicTime began);
  void learn_clock(const ProcessIdentity& process, MonotonicTime lived);
  // Another entry for the process of this one.
  TargetId succeed(TargetId id, MonotonicTime since, TargetId previous);
  void announce(TargetId id, const ProcessEvent& event);
  void forget_newest(std::uint32_t tgid);
  [[nodiscard]] TargetId entry_about(TargetId newest, const Target& target) const;
  [[nodiscard]] TargetId before(TargetId id) const;
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
  std::uint64_t suspended_ns_ = 0;  // at least so long: start times count it, event times do not
  FairShares<std::uint32_t> of_parent_;
  std::unordered_set<std::uint32_t> refused_;  // in this window, a bounded number
};

}  // namespace exa
