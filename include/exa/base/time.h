// Time and durations as types. Pure code takes time as an argument; only the composing layer reads
// a clock. Both times count nanoseconds.
#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>

namespace exa {

using Duration = std::chrono::nanoseconds;

// CLOCK_MONOTONIC, as the kernel stamps events. Zero means unknown.
struct MonotonicTime {
  std::uint64_t ns = 0;
  [[nodiscard]] constexpr bool known() const { return ns != 0; }
  constexpr auto operator<=>(const MonotonicTime&) const = default;
};

// Nanoseconds since the Unix epoch.
struct WallTime {
  std::uint64_t ns = 0;
  constexpr auto operator<=>(const WallTime&) const = default;
};

// later - earlier; zero if the arguments are the other way round, so that a clock artefact never
// becomes a duration of centuries. Never negative, whatever the times of a broken record.
constexpr Duration elapsed(MonotonicTime earlier, MonotonicTime later) {
  if (later.ns <= earlier.ns) return Duration::zero();
  constexpr auto kLongest = static_cast<std::uint64_t>(Duration::max().count());
  return Duration(static_cast<std::int64_t>(std::min(later.ns - earlier.ns, kLongest)));
}
constexpr MonotonicTime operator+(MonotonicTime time, Duration by) {
  return {time.ns + static_cast<std::uint64_t>(by.count())};
}
constexpr double seconds_of(std::uint64_t ns) {
  return static_cast<double>(ns) / 1e9;
}
constexpr double seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e9;
}

// The one place where monotonic time becomes wall time. The offset is re-measured by the owner.
struct WallClockOffset {
  std::int64_t ns = 0;  // wall - monotonic
  [[nodiscard]] constexpr WallTime to_wall(MonotonicTime time) const {
    return {time.ns + static_cast<std::uint64_t>(ns)};
  }
};

// Readers of the clocks, for the composing layer only.
inline MonotonicTime monotonic_now() {
  return {static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                                     std::chrono::nanoseconds(1))};
}
inline WallClockOffset measure_wall_clock_offset() {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const auto monotonic = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<Duration>(wall).count() -
          std::chrono::duration_cast<Duration>(monotonic).count()};
}

}  // namespace exa
