// Follows the sleeps of threads that move observed bytes, from one switch of the scheduler to the
// next; what they slept on comes with their calls, as SLEEPS records. Costs some tens of
// nanoseconds at every switch of the host, as long as this object lives.
//
// Prober thread. Owned by the prober.
#pragma once

#include <memory>
#include <vector>

#include "agent/kernel/capture_programs.h"
#include "exa/base/result.h"

struct sleeps_bpf;

namespace exa::kernel {

class ThreadSleeps {
 public:
  // The programs of capture must have been loaded with call_sleeps.
  static Result<ThreadSleeps> follow(const CapturePrograms& capture);

  ThreadSleeps(ThreadSleeps&&) noexcept;
  ThreadSleeps& operator=(ThreadSleeps&&) noexcept;
  ~ThreadSleeps();

  [[nodiscard]] std::vector<ProgramFigures> figures() const;

 private:
  struct Loaded;
  explicit ThreadSleeps(std::unique_ptr<Loaded> loaded);

  std::unique_ptr<Loaded> loaded_;
};

}  // namespace exa::kernel
