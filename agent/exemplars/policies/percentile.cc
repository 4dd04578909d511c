#include "agent/exemplars/policies/percentile.h"

#include <algorithm>
#include <cmath>

namespace exa {
namespace {

constexpr std::uint32_t kUpdates = 10;  // while all that is remembered is replaced
static_assert(Percentile::kLeast >= kUpdates);

}  // namespace

void Percentile::see(const Offer& offer) {
  auto& memory = memory_.of(offer.series);
  // What was above the quantile before this value came is decided first.
  if (memory.update_in == 0) [[unlikely]]
    update(memory);
  if (memory.values.empty()) [[unlikely]]
    memory.values.resize(last_);
  memory.values[memory.next] = offer.value;
  memory.next = memory.next + 1 == last_ ? 0 : memory.next + 1;
  memory.seen = std::min(memory.seen + 1, last_);
  --memory.update_in;
}

// The smallest value that so large a share of them do not exceed.
void Percentile::update(Memory& memory) {
  memory.update_in = last_ / kUpdates;
  sorted_.assign(memory.values.begin(), memory.values.begin() + memory.seen);
  // 7 % of 100 are 7, and not what floating point has a little above it.
  const auto wanted = std::ceil(quantile_ * memory.seen - 1e-9);
  const auto rank = static_cast<std::ptrdiff_t>(wanted) - 1;
  const auto place = sorted_.begin() + std::clamp<std::ptrdiff_t>(rank, 0, memory.seen - 1);
  std::ranges::nth_element(sorted_, place);
  memory.above = *place;
}

}  // namespace exa
