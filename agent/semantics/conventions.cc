// The conventions by their enumerators: a row each.
#include <array>

#include "agent/semantics/http.h"
#include "agent/semantics/rpc.h"
#include "agent/semantics/semantics.h"

namespace exa {
namespace {

constexpr std::array kRows = {
    kHttpSemantics,
    kRpcSemantics,
};

constexpr bool each_has_its_row() {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (kRows[i].convention != static_cast<Convention>(i)) return false;
  return kRows.size() >= kConventions;
}
static_assert(each_has_its_row());

}  // namespace

const Semantics& semantics_of(Convention convention) {
  return kRows[static_cast<std::size_t>(convention)];
}

}  // namespace exa
