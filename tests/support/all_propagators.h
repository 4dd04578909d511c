// Every propagator there is, for tests of whatever reads contexts.
#pragma once

#include "agent/model/propagators.h"

namespace exa {

inline constexpr PropagatorList kAllPropagators = {Propagator::kW3c, Propagator::kB3,
                                                   Propagator::kJaeger, Propagator::kXray,
                                                   Propagator::kDatadog};
static_assert(kAllPropagators.all().size() == PropagatorList::kMost);

}  // namespace exa
