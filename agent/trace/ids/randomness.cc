#include "agent/trace/ids/randomness.h"

#include <algorithm>

namespace exa {
namespace {

std::uint64_t load_be64(const std::uint8_t* bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i)
    value = value << 8 | bytes[i];
  return value;
}

// Stafford's variant 13 of the MurmurHash3 finaliser.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

std::uint64_t randomness_threshold(double probability) {
  constexpr std::uint64_t kNever = kRandomnessMask + 1;
  if (!(probability > 0)) return kNever;
  const double accepted = std::min(probability, 1.0) * static_cast<double>(kNever);
  return kNever - static_cast<std::uint64_t>(accepted);
}

Randomness randomness_of(const Exchange& exchange, const RandomnessOptions& options) {
  const auto* id = exchange.trace_id.bytes.data();
  if (options.fleet_seed) {
    return {.value = siphash64(*options.fleet_seed, exchange.trace_id.bytes) & kRandomnessMask};
  }
  if (exchange.has_incoming_rv)
    return {.value = exchange.randomness & kRandomnessMask, .publishable = true};
  if (options.presume_random || (exchange.trace_flags & kTraceRandom) != 0)
    return {.value = load_be64(id + 8) & kRandomnessMask, .publishable = true};
  return {.value = mix(load_be64(id) ^ mix(load_be64(id + 8))) & kRandomnessMask};
}

}  // namespace exa
