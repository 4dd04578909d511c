// A target gets the names that the engine of its container has for it. Pure.
#pragma once

#include "agent/naming/engine_documents.h"
#include "exa/model/target.h"

namespace exa {

// Its service of a compose file names the target unless somebody chose a name; in a container no
// systemd unit does.
void add_container_names(Target& target, const ContainerNames& names);

}  // namespace exa
