#include "agent/connection/first_bytes.h"

#include <algorithm>
#include <utility>

#include "agent/protocol/proxy_header.h"

namespace exa {
namespace {

using Verdict = Detection::Verdict;

// A request may also follow what a proxy or another protocol says before the first one.
bool behind_preamble(const ChunkEvent& chunk, const Detection& detection) {
  return detection.starts(Side::kRequest) && chunk.position < kMaxPreambleBytes &&
         chunk.other.position == 0;
}

}  // namespace

FirstBytes::FirstBytes(std::span<const ProtocolRow> rows, Protocols protocols,
                       MessageBlocks& blocks, std::size_t max_connections)
    : rows_(rows), protocols_(protocols), blocks_(blocks), slots_(whole_slabs(max_connections)) {
  const auto row = std::ranges::find(rows_, nullptr, &ProtocolRow::detect);
  if (row != rows_.end()) framed_ = protocols_[static_cast<std::size_t>(row - rows_.begin())].get();
}

FirstBytes::Recognised FirstBytes::recognise(std::string_view bytes) const {
  Recognised undecided;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    if (rows_[row].detect == nullptr) continue;
    const auto detection = rows_[row].detect(bytes);
    if (detection.verdict == Verdict::kYes) return {detection, row};
    if (detection.verdict != Verdict::kNeedMore) continue;
    const bool is_first = undecided.detection.verdict == Verdict::kNo;
    const auto skipped =
        is_first ? detection.skipped : std::min(undecided.detection.skipped, detection.skipped);
    undecided = {detection, row};
    undecided.detection.skipped = skipped;  // what may be a part of any message is kept
  }
  return undecided;
}

ChunkUse FirstBytes::on_bytes(Connection& connection, const ChunkEvent& chunk,
                              std::string_view bytes, std::uint64_t gap_bytes) {
  if (chunk.framed()) {
    abandon(connection);
    return hand_over_frames(connection, chunk, bytes, kNoSlot);
  }
  const auto direction = chunk.direction;
  if (connection.direction(direction).position == 0) bytes.remove_prefix(proxy_header_bytes(bytes));
  auto* begun = pending(connection, direction);
  const auto kept = begun == nullptr ? std::string_view{} : blocks_.text(begun->kept);
  std::array<char, kFirstBytes> first;
  const auto from_kept = std::min(kept.size(), first.size());
  const auto from_chunk = std::min(bytes.size(), first.size() - from_kept);
  std::copy_n(kept.begin(), from_kept, first.begin());
  std::copy_n(bytes.begin(), from_chunk, first.begin() + static_cast<std::ptrdiff_t>(from_kept));
  auto recognised = recognise({first.data(), from_kept + from_chunk});
  if (kept.empty() && recognised.detection.skipped == first.size()) recognised = recognise(bytes);
  const auto& detection = recognised.detection;

  if (begun == nullptr) {
    if (bytes.empty() || detection.verdict == Verdict::kNo) return ChunkUse::kNotProtocol;
    if (!turned(chunk) && !behind_preamble(chunk, detection)) return ChunkUse::kNotProtocol;
  } else if (bytes.empty()) {
    if (gap_bytes > 0) end(connection, direction);
    return ChunkUse::kBelonging;
  }
  const bool none_begins =
      detection.verdict == Verdict::kNeedMore && detection.skipped == bytes.size();
  if (kept.empty() && gap_bytes == 0 && none_begins)
    return begin(connection, direction) != nullptr ? ChunkUse::kBelonging : ChunkUse::kNotProtocol;
  if (detection.verdict == Verdict::kYes)
    return hand_over(connection, recognised, chunk, bytes, gap_bytes);
  const bool too_few = gap_bytes == 0 && from_kept + from_chunk < first.size();
  if (detection.verdict == Verdict::kNeedMore && too_few) {
    if (begun == nullptr) begun = begin(connection, direction);
    if (begun != nullptr && gather(connection, *begun, chunk, bytes, detection.skipped))
      return ChunkUse::kBelonging;
  }
  end(connection, direction);
  return ChunkUse::kNotProtocol;
}

ChunkUse FirstBytes::hand_over_frames(Connection& connection, const ChunkEvent& chunk,
                                      std::string_view bytes, std::uint32_t asked) {
  if (!framed_->open(connection, {.kept = {}, .asked = asked})) return ChunkUse::kOrphan;
  return framed_->on_bytes(connection, chunk, bytes, 0);
}

ChunkUse FirstBytes::hand_over(Connection& connection, const Recognised& recognised,
                               const ChunkEvent& chunk, std::string_view bytes,
                               std::uint64_t gap_bytes) {
  const auto side = recognised.detection.side;
  Opening opening{.side = side, .kept = {}, .asked = kNoSlot};
  if (auto* begun = pending(connection, chunk.direction)) std::swap(opening.kept, begun->kept);
  abandon(connection);
  if (side != Side::kUnclear) {
    const bool asked = side == Side::kRequest;
    connection.role =
        asked == (chunk.direction == Direction::kIngress) ? Role::kServer : Role::kClient;
  }
  auto& protocol = *protocols_[recognised.row];
  if (!protocol.open(connection, opening)) return ChunkUse::kOrphan;
  return protocol.on_bytes(connection, chunk, bytes, gap_bytes);
}

bool FirstBytes::gather(Connection& connection, Pending& begun, const ChunkEvent& chunk,
                        std::string_view bytes, std::size_t skipped) {
  if (!begun.kept.empty()) return blocks_.add(begun.kept, bytes) == bytes.size();
  begun.kept.start = start_of(chunk, bytes, skipped);
  return blocks_.keep(begun.kept, *connection.process, bytes.substr(skipped));
}

FirstBytes::Pending* FirstBytes::pending(const Connection& connection, Direction direction) {
  if (connection.slot == kNoSlot) return nullptr;
  auto& one = slots_[connection.slot][static_cast<std::size_t>(direction)];
  return one.begun ? &one : nullptr;
}

FirstBytes::Pending* FirstBytes::begin(Connection& connection, Direction direction) {
  if (connection.slot == kNoSlot) {
    connection.slot = slots_.acquire();
    if (connection.slot == kNoSlot) return nullptr;
    slots_[connection.slot] = {};
  }
  auto& one = slots_[connection.slot][static_cast<std::size_t>(direction)];
  one.begun = true;
  return &one;
}

void FirstBytes::end(Connection& connection, Direction direction) {
  if (connection.slot == kNoSlot) return;
  auto& both = slots_[connection.slot];
  auto& one = both[static_cast<std::size_t>(direction)];
  blocks_.drop(one.kept, *connection.process);
  one.begun = false;
  if (both[0].begun || both[1].begun) return;
  slots_.release(connection.slot);
  connection.slot = kNoSlot;
}

void FirstBytes::on_gap(Connection& connection, Direction direction, std::uint64_t /*gap_bytes*/,
                        MonotonicTime /*last_byte*/) {
  end(connection, direction);
}

bool FirstBytes::gap_fits(const Connection& connection, Direction direction,
                          std::uint64_t /*gap_bytes*/) const {
  return connection.slot == kNoSlot ||
         !slots_[connection.slot][static_cast<std::size_t>(direction)].begun;
}

void FirstBytes::on_end(Connection& /*connection*/, const EndEvent& /*end*/) {}

void FirstBytes::on_endpoints(Connection& /*connection*/, std::uint32_t /*first_sequence*/) {}

void FirstBytes::abandon(Connection& connection) {
  end(connection, Direction::kIngress);
  end(connection, Direction::kEgress);
}

}  // namespace exa
