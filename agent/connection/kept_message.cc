#include "agent/connection/kept_message.h"

#include <algorithm>
#include <cstring>

namespace exa {

MessageStart start_of(const ChunkEvent& chunk, std::string_view bytes, std::size_t skipped) {
  const auto offset = chunk.bytes.size() - bytes.size();
  auto start = start_at(chunk, static_cast<std::int64_t>(offset));
  start.sequence += static_cast<std::uint32_t>(skipped);
  return start;
}

MessageStart start_at(const ChunkEvent& chunk, std::int64_t offset) {
  // Only of the chunk's first byte is it known when it came, and where the call took long, when it
  // left.
  const bool first = offset == 0;
  auto time = first && chunk.first_byte.known() ? chunk.first_byte : chunk.time;
  if (offset < 0 && chunk.previous_last_byte.known()) time = chunk.previous_last_byte;
  return {.time = time,
          .arrival = first ? chunk.arrival : MonotonicTime{},
          .sequence = chunk.tcp_sequence + static_cast<std::uint32_t>(offset),
          .tgid = chunk.tgid};
}

MessageBlocks::MessageBlocks(std::size_t max_blocks, Counters& counters)
    : counters_(counters), max_blocks_(max_blocks), blocks_(max_blocks) {}

bool MessageBlocks::keep(KeptMessage& kept, Tenant& process, std::string_view bytes) {
  const auto free = max_blocks_ - blocks_.in_use();
  if (free > 0 && !process.may_take(Place::kHead, free)) {
    process.lose(Place::kHead);
    counters_.add(Counter::kHeadBlocksOverShare);
    return false;
  }
  const auto block = blocks_.acquire();
  if (block == kNoSlot) {
    counters_.add(Counter::kHeadBlocksExhausted);
    return false;
  }
  process.take(Place::kHead);
  std::memcpy(blocks_[block].data(), bytes.data(), bytes.size());
  kept.block = block;
  kept.bytes = static_cast<std::uint16_t>(bytes.size());
  return true;
}

std::size_t MessageBlocks::add(KeptMessage& kept, std::string_view bytes) {
  const auto taken = std::min(bytes.size(), kBlockBytes - kept.bytes);
  std::memcpy(blocks_[kept.block].data() + kept.bytes, bytes.data(), taken);
  kept.bytes = static_cast<std::uint16_t>(kept.bytes + taken);
  return taken;
}

void MessageBlocks::drop(KeptMessage& kept, Tenant& process) {
  if (kept.empty()) return;
  blocks_.release(kept.block);
  process.give_back(Place::kHead);
  kept.block = kNoSlot;
  kept.bytes = 0;
}

std::string_view MessageBlocks::text(const KeptMessage& kept) const {
  if (kept.empty()) return {};
  return {blocks_[kept.block].data(), kept.bytes};
}

}  // namespace exa
