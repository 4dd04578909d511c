// When probes of a file may come or go.
//
// To place a probe or to take it away the kernel locks every fork of the host out, and then waits
// for the memory of each process that maps the file. One that holds the lock of its memory for
// long, as in a munmap that a file system in user space does not answer, would make all of them
// wait. So that is only done while none does. One that begins at that very moment is still waited
// for.
//
// One thread, which waits in here.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>

#include "agent/discovery/elf/file_identity.h"
#include "exa/base/time.h"

namespace exa {

class MemoryLocks {
 public:
  // Most are held for microseconds, but some busy process always holds one.
  static constexpr Duration kMoment = std::chrono::milliseconds(100);

  // Processes whose memory is locked just now.
  using Locked = std::function<std::set<std::uint32_t>()>;
  // Whether the process maps the file, as far as anybody can tell.
  using Maps = std::function<bool(std::uint32_t tgid, const FileIdentity& file)>;

  MemoryLocks(Locked locked, Maps maps) : locked_(std::move(locked)), maps_(std::move(maps)) {}

  // Waits for those that map the file, or for all where there is none; at most as long as that, but
  // a moment in any case. Who still holds the lock then.
  std::optional<std::uint32_t> held_after(const FileIdentity* file, Duration patience) const;

 private:
  [[nodiscard]] std::set<std::uint32_t> held_for_a_moment() const;

  Locked locked_;
  Maps maps_;
};

}  // namespace exa
