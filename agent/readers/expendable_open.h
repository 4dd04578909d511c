// Opens what lies below a process' folder in /proc on a thread that can be left behind. Such an
// open waits for a lock of that process (of its memory, or of its exec, which may be closing a file
// whose server never answers), as long as the process pleases. A thread that waits so ends with its
// process at the latest: these waits give way to SIGKILL, and touch no file.
//
// Used by one thread, which owns it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exa/base/unique_fd.h"

namespace exa {

class ExpendableOpen {
 public:
  ExpendableOpen() = default;
  ExpendableOpen(const ExpendableOpen&) = delete;
  ~ExpendableOpen();

  // Nothing if it took too long: then one more thread is left behind. Not valid: errno says why.
  std::optional<UniqueFd> open(int folder_fd, const std::string& name, int flags,
                               std::uint32_t owner, std::chrono::milliseconds patience);

  // Threads that still wait, all or of one user.
  [[nodiscard]] std::size_t left_behind();
  [[nodiscard]] std::size_t left_behind(std::uint32_t owner);

 private:
  struct Worker;
  struct LeftBehind {
    std::shared_ptr<Worker> worker;
    std::uint32_t owner;
  };
  void forget_ended();

  std::shared_ptr<Worker> worker_;
  std::vector<LeftBehind> left_behind_;  // bounded by its user
};

}  // namespace exa
