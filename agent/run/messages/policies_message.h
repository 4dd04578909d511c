// Which policies hold from now on, as a reload of the configuration said: one a line, the one of
// all first, then the rules in their order.
#pragma once

#include "agent/model/policy_spec.h"
#include "agent/privilege/channel.h"
#include "exa/base/result.h"

namespace exa {

// The configuration's limit keeps them short enough.
void write_policies(const PolicySettings& policies, ChannelMessage& message);

// An error: what it says is not what a prober writes.
Result<PolicySettings> read_policies(const ChannelMessage& message);

}  // namespace exa
