// What an exchange takes from the trace context of its request. Pure.
#pragma once

#include "agent/trace/context/context_reader.h"
#include "exa/model/exchange.h"

namespace exa {

// Only a valid one is taken.
inline ContextState take_context(const ContextReader& reader, Exchange& exchange) {
  const auto context = reader.context();
  if (!context) return reader.state();
  exchange.has_context = true;
  exchange.trace_id = context->trace_id;
  exchange.parent_span_id = context->parent;
  exchange.trace_flags = context->flags;
  if (const auto randomness = reader.randomness()) {
    exchange.has_incoming_rv = true;
    exchange.randomness = *randomness;
  }
  return ContextState::kValid;
}

}  // namespace exa
