// Who makes processes: a name costs a process nothing, its parent and cgroup it cannot choose.
#pragma once

#include <cstdint>

namespace exa {

struct ProcessOrigin {
  std::uint32_t parent_tgid = 0;
  std::uint64_t cgroup_id = 0;
};

// Whoever knows the processes, for those who only see their numbers.
class ProcessOrigins {
 public:
  virtual ~ProcessOrigins() = default;
  // All zero if nobody knows.
  [[nodiscard]] virtual ProcessOrigin origin_of(std::uint32_t tgid) const = 0;
};

}  // namespace exa
