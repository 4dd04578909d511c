// A request as people want to know it. Window thread; pure.
#pragma once

#include "exa/base/time.h"
#include "exa/model/exchange.h"
#include "exa/model/metric.h"

namespace exa {

// Without its trace: whether that is stored is not in the exchange.
SlowestRequest described(const Exchange& exchange, WallClockOffset offset);

}  // namespace exa
