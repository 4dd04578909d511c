#include "agent/semantics/errors.h"

#include <cerrno>

namespace exa {

ErrorType broken_off(const Exchange& exchange) {
  if (exchange.outcome != Outcome::kAbortedByPeer && exchange.outcome != Outcome::kAbortedByUs)
    return ErrorType::kNone;
  if (exchange.socket_error == ECONNRESET) return ErrorType::kConnectionReset;
  if (exchange.socket_error == ETIMEDOUT) return ErrorType::kTimeout;
  return ErrorType::kAborted;
}

std::string broken_off_text(ErrorType type) {
  switch (type) {
    case ErrorType::kNone:
    case ErrorType::kStatusCode:
      return {};
    case ErrorType::kConnectionReset:
      return "connection_reset";
    case ErrorType::kTimeout:
      return "timeout";
    case ErrorType::kAborted:
      return "aborted";
  }
  return {};
}

void add_outcome(const Exchange& exchange, Attributes& attributes) {
  const auto& semantics = semantics_of(exchange.operation.convention);
  if (const auto error = semantics.error_type(exchange); error != ErrorType::kNone)
    attributes.push_back({"error.type", semantics.error_text(error, exchange.operation.status)});
  if (exchange.outcome == Outcome::kUnknown)
    attributes.push_back({"exemplar_agent.outcome", std::string("unknown")});
}

}  // namespace exa
