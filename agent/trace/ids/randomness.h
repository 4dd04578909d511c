// R: the 56 bits by which every agent judges a trace. The same on all nodes and for all requests of
// a trace, so agents that share nothing still tend to keep the same traces.
// Capture thread; pure.
#pragma once

#include <cstdint>
#include <optional>

#include "agent/model/siphash.h"
#include "exa/model/exchange.h"

namespace exa {

inline constexpr int kRandomnessBits = 56;
inline constexpr std::uint64_t kRandomnessMask = (std::uint64_t{1} << kRandomnessBits) - 1;

struct RandomnessOptions {
  // Trust the last 56 bits of trace ids even where the caller did not set the random flag.
  bool presume_random = false;
  // Shared by a fleet, kept secret: clients cannot craft ids that always win. R then means nothing
  // to others, so no sampling threshold is published.
  std::optional<HashKey> fleet_seed = {};
};

struct Randomness {
  std::uint64_t value = 0;
  bool publishable = false;  // others derive the same R from the trace id or from ot=rv
};

// The share of all traces whose R lies at or above this is the probability, on every node the same
// traces. No R reaches that of zero.
std::uint64_t randomness_threshold(double probability);

// The exchange has its trace id and, where the request carried ot=rv, its incoming randomness.
Randomness randomness_of(const Exchange& exchange, const RandomnessOptions& options);

}  // namespace exa
