// How the agent's processes end, as whoever started them learns it.
#pragma once

namespace exa {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitBadConfiguration = 2;
inline constexpr int kExitSecondInstance = 3;
inline constexpr int kExitOutputFailed = 4;  // of the pipeline process; the agent's own is 1

}  // namespace exa
