// Descriptors that tell the mapped files of one process when they are read, as records of
// exa/abi/mapping.h. Making one touches nothing of the process; reading one waits for the lock of
// its memory, so that is for somebody who may be killed meanwhile. The reader needs no capability.
// Any thread of the prober.
#pragma once

#include <cstdint>
#include <memory>
#include <set>

#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

struct bpf_program;
struct mappings_bpf;

namespace exa::kernel {

class MappingIterator {
 public:
  static Result<MappingIterator> load();

  MappingIterator(MappingIterator&&) noexcept;
  MappingIterator& operator=(MappingIterator&&) noexcept;
  ~MappingIterator();

  // Mapped files that hold code.
  [[nodiscard]] Result<UniqueFd> code_of(std::uint32_t tgid) const;
  // Every mapped file.
  [[nodiscard]] Result<UniqueFd> all_of(std::uint32_t tgid) const;

  // Where it publishes what it is, as numbers of 8 bytes.
  [[nodiscard]] Result<UniqueFd> published_by(std::uint32_t tgid) const;

  // The processes of which somebody holds the lock of the memory at the moment, be it for reading.
  // Waits for nobody. None where the kernel does not tell (PREEMPT_RT).
  [[nodiscard]] std::set<std::uint32_t> locked() const;

 private:
  struct Loaded;
  explicit MappingIterator(std::unique_ptr<Loaded> loaded);
  // tgid 0: all processes.
  [[nodiscard]] static Result<UniqueFd> over(const bpf_program* program, std::uint32_t tgid);

  std::unique_ptr<Loaded> loaded_;
};

}  // namespace exa::kernel
