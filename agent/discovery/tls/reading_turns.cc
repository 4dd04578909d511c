#include "agent/discovery/tls/reading_turns.h"

#include <tuple>

namespace exa {
namespace {

constexpr Duration kForgotten = std::chrono::milliseconds(10);

}  // namespace

std::size_t ReadingTurns::next(std::span<const Candidate> candidates, MonotonicTime now) {
  fade(now);
  std::size_t best = 0;
  const auto taken = [&](std::size_t i) {
    return std::tuple(used_by(of_owner_, candidates[i].owner),
                      used_by(of_process_, candidates[i].tgid));
  };
  for (std::size_t i = 1; i < candidates.size(); ++i)
    if (taken(i) < taken(best)) best = i;
  return best;
}

void ReadingTurns::charge(const Candidate& candidate, Duration used) {
  of_owner_[candidate.owner] += used;
  of_process_[candidate.tgid] += used;
}

bool ReadingTurns::spent(std::uint32_t tgid) const {
  return used_by(of_process_, tgid) >= kBudget;
}

void ReadingTurns::fade(MonotonicTime now) {
  if (!faded_.known()) faded_ = now;
  while (elapsed(faded_, now) >= kHalfLife) {
    faded_ = faded_ + kHalfLife;
    for (auto& [owner, used] : of_owner_)
      used /= 2;
    std::erase_if(of_owner_, [](const auto& entry) { return entry.second < kForgotten; });
  }
}

}  // namespace exa
