// One agent a host: a lock on a file that the kernel drops with its holder, however that ends.
#pragma once

#include <string>

#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

namespace exa {

struct InstanceLock {
  UniqueFd file;              // locked while open; not valid: another agent holds the lock
  std::string other_process;  // pid of the other agent as it wrote it, empty if not readable
  [[nodiscard]] bool acquired() const { return file.valid(); }
};

// Whether an agent holds the lock, and as which process, if that is known. Leaves nothing behind.
struct LockHolder {
  bool held = false;
  std::string process;
};
LockHolder lock_holder(const std::string& path);

// An error is a lock that could not be tried at all.
Result<InstanceLock> lock_instance(const std::string& path);

}  // namespace exa
