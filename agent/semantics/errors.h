// What goes wrong alike in every convention. Pure.
#pragma once

#include <string>

#include "agent/semantics/semantics.h"

namespace exa {

// How the connection ended, where that is the error.
ErrorType broken_off(const Exchange& exchange);
// "connection_reset"; empty for what the convention itself names.
std::string broken_off_text(ErrorType type);

// error.type, and exemplar_agent.outcome where nobody can tell: neither a success nor an error, for
// which the conventions have no word, and error.type must not say one of the two.
void add_outcome(const Exchange& exchange, Attributes& attributes);

}  // namespace exa
