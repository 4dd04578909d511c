// The conventions by their enumerators: a row each.
#include <array>

#include "agent/semantics/http.h"
#include "agent/semantics/rpc.h"
#include "agent/semantics/semantics.h"

namespace exa {
namespace {

constexpr std::array kConventions = {
    kHttpSemantics,
    kRpcSemantics,
};

}  // namespace

const Semantics& semantics_of(Convention convention) {
  return kConventions[static_cast<std::size_t>(convention)];
}

}  // namespace exa
