// The services of the verb `status`: one row each, and the whole answer as JSON. Pure. Names come
// from observed processes; nothing in them may reach a terminal as it is.
#pragma once

#include <string>
#include <string_view>

#include "exa/base/result.h"
#include "exa/base/time.h"

namespace exa {

// services: as ServiceTotals wrote it; processes: as the prober did, for what is not read. Empty
// ones say nothing.
Result<std::string> services_table(std::string_view services, std::string_view processes,
                                   WallTime now);

// Both in one object.
Result<std::string> status_json(std::string_view services, std::string_view processes);

}  // namespace exa
