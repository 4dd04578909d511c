// Whether TLS is read, as one metric tells it: the state that holds is 1, the others 0.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

// X(enumerator, name)
// clang-format off
#define EXA_TLS_STATES(X)                                                            \
  X(kOff, off)                          /* by configuration */                       \
  X(kReading, reading)                                                               \
  X(kNoUprobeMulti, no_uprobe_multi)    /* the kernel is older than 6.6 */           \
  X(kPreemptible, preemptible)          /* probes would endanger this kernel */      \
  X(kRefused, refused)                  /* the kernel did not load the programs */
// clang-format on

namespace exa {

enum class TlsState : std::uint8_t {
#define EXA_X(name, text) name,
  EXA_TLS_STATES(EXA_X)
#undef EXA_X
};

inline constexpr auto kTlsStateNames = std::to_array<std::string_view>({
#define EXA_X(name, text) #text,
    EXA_TLS_STATES(EXA_X)
#undef EXA_X
});

}  // namespace exa
