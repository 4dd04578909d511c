#include "agent/conversation/http2/header_blocks.h"

#include <cstring>

namespace exa {

bool HeaderBlocks::add(KeptBlock& kept, Tenant& process, std::string_view piece) {
  if (piece.empty()) return true;
  if (kept.large == kNoSlot) {
    const std::size_t before = kept.small.bytes;
    if (before + piece.size() <= MessageBlocks::kBlockBytes) {
      if (before > 0) return small_.add(kept.small, piece) == piece.size();
      return small_.keep(kept.small, process, piece);
    }
    if (!enlarge(kept, process)) return false;
  }
  if (kept.large_bytes + piece.size() > kMaxBytes) {
    counters_.add(Counter::kHeadTooLong);
    drop(kept, process);
    return false;
  }
  std::memcpy(large_[kept.large].data() + kept.large_bytes, piece.data(), piece.size());
  kept.large_bytes += static_cast<std::uint32_t>(piece.size());
  return true;
}

bool HeaderBlocks::enlarge(KeptBlock& kept, Tenant& process) {
  const auto free = kLarge - large_.in_use();
  const bool has_share = free == 0 || process.may_take(Place::kLargeHead, free);
  const auto large = has_share ? large_.acquire() : kNoSlot;
  if (!has_share) {
    process.lose(Place::kLargeHead);
    counters_.add(Counter::kHeadBlocksOverShare);
  } else if (large == kNoSlot) {
    counters_.add(Counter::kHeadBlocksExhausted);
  } else {
    process.take(Place::kLargeHead);
    const auto text = small_.text(kept.small);
    if (!text.empty()) std::memcpy(large_[large].data(), text.data(), text.size());
    kept.large = large;
    kept.large_bytes = static_cast<std::uint32_t>(text.size());
  }
  small_.drop(kept.small, process);
  return large != kNoSlot;
}

void HeaderBlocks::drop(KeptBlock& kept, Tenant& process) {
  small_.drop(kept.small, process);
  if (kept.large == kNoSlot) return;
  large_.release(kept.large);
  process.give_back(Place::kLargeHead);
  kept.large = kNoSlot;
  kept.large_bytes = 0;
}

std::string_view HeaderBlocks::text(const KeptBlock& kept) const {
  if (kept.large == kNoSlot) return small_.text(kept.small);
  return {large_[kept.large].data(), kept.large_bytes};
}

}  // namespace exa
