// How a source of names answers, as one metric tells it: the state that holds is 1, the others 0.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

// X(enumerator, name)
// clang-format off
#define EXA_SOURCE_STATES(X)                                       \
  X(kStarting, starting)          /* nothing has been told yet, or all is told anew */  \
  X(kFollowing, following)        /* what is known is current */   \
  X(kUnreachable, unreachable)    /* no answer, or it broke off */ \
  X(kUnauthorized, unauthorized)  /* 401 */                        \
  X(kForbidden, forbidden)        /* 403 */                        \
  X(kRefused, refused)            /* another answer that is no success */ \
  X(kUnreadable, unreadable)      /* nonsense, or over the bound */
// clang-format on

namespace exa {

enum class SourceState : std::uint8_t {
#define EXA_X(name, text) name,
  EXA_SOURCE_STATES(EXA_X)
#undef EXA_X
};

inline constexpr auto kSourceStateNames = std::to_array<std::string_view>({
#define EXA_X(name, text) #text,
    EXA_SOURCE_STATES(EXA_X)
#undef EXA_X
});

}  // namespace exa
