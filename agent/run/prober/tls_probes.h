// Which program of the kernel room stands on which place that the discovery room found.
#pragma once

#include <vector>

#include "agent/discovery/tls/attach_plan.h"
#include "agent/kernel/tls_programs.h"

namespace exa {

[[nodiscard]] std::vector<kernel::TlsProbe> tls_probes(const AttachPlan& plan);
[[nodiscard]] std::vector<kernel::TlsProbe> table_probes(const AttachPlan& plan);

}  // namespace exa
