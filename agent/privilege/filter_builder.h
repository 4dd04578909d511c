// Puts a seccomp filter together by names of system calls. Those that the architecture lacks are
// skipped. Used by the two filters and nobody else.
#pragma once

#include <seccomp.h>

#include <cstdint>
#include <memory>
#include <span>

#include "exa/base/result.h"

namespace exa {

class FilterBuilder {
 public:
  // action: for every call without a rule.
  explicit FilterBuilder(std::uint32_t action) : context_(seccomp_init(action), seccomp_release) {}

  template <typename... Conditions>
  void add(std::uint32_t action, const char* name, Conditions... conditions) {
    if (context_ == nullptr) return;
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || number < 0) return;
    const int added =
        seccomp_rule_add(context_.get(), action, number, sizeof...(conditions), conditions...);
    if (added != 0 && error_ == 0) error_ = -added;
  }

  void add_all(std::uint32_t action, std::span<const char* const> names) {
    for (const auto* const name : names)
      add(action, name);
  }

  // For this thread and those it makes.
  Result<> load() {
    if (context_ == nullptr) return fail("out of memory for the system call filter");
    seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (error_ == 0) error_ = -seccomp_load(context_.get());
    if (error_ != 0) return fail_errno("cannot install the system call filter", error_);
    return {};
  }

 private:
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  int error_ = 0;
};

}  // namespace exa
