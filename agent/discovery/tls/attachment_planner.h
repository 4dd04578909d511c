// Decides for one file which TLS library it carries and where its probes go.
// Any one thread; bounded by limits in bytes read and time, by constants in memory.
#pragma once

#include "agent/discovery/elf/file_identity.h"
#include "agent/discovery/tls/attach_plan.h"

namespace exa {

// The descriptor is borrowed. Always an answer: what cannot be read has a verdict that says why.
[[nodiscard]] AttachPlan plan_attachment(int fd, ReadLimits limits = {});

}  // namespace exa
