// For as long as it lives, this thread runs on that CPU alone.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>

#include <cstddef>

namespace exa::test {

class OneCpu {
 public:
  explicit OneCpu(int cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(cpu), &one);
    EXPECT_EQ(::sched_getaffinity(0, sizeof all_, &all_), 0);
    EXPECT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  }
  ~OneCpu() { ::sched_setaffinity(0, sizeof all_, &all_); }
  OneCpu(const OneCpu&) = delete;

 private:
  cpu_set_t all_{};
};

}  // namespace exa::test
