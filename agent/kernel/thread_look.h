// Looks at threads: what each does at the moment goes into the data ring, as a LOOK record. Takes
// no lock and touches nothing of theirs; some microseconds each where nothing of them is cached.
//
// Prober thread. Owned by the prober.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "agent/kernel/capture_programs.h"
#include "exa/base/result.h"

struct look_bpf;

namespace exa::kernel {

class ThreadLook {
 public:
  static constexpr std::size_t kMost = 32;

  // Fails where a program cannot ask for a thread (before Linux 6.10).
  static Result<ThreadLook> load(const CapturePrograms& capture, const CaptureConfig& config);

  ThreadLook(ThreadLook&&) noexcept;
  ThreadLook& operator=(ThreadLook&&) noexcept;
  ~ThreadLook();

  // By their numbers, at most kMost; of one that is gone nothing is told.
  Result<> at(std::span<const std::uint32_t> threads) const;
  [[nodiscard]] std::vector<ProgramFigures> figures() const;

 private:
  struct Loaded;
  explicit ThreadLook(std::unique_ptr<Loaded> loaded);

  std::unique_ptr<Loaded> loaded_;
};

}  // namespace exa::kernel
