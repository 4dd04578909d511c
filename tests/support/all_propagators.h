// Every propagator there is, for tests of whatever reads contexts.
#pragma once

#include "agent/model/propagators.h"

namespace exa {

inline constexpr PropagatorList kAllPropagators = {Propagator::kDatadog, Propagator::kXray,
                                                   Propagator::kJaeger, Propagator::kB3,
                                                   Propagator::kW3c};
static_assert(kAllPropagators.all().size() == PropagatorList::kMost);

}  // namespace exa
