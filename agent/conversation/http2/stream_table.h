// The open streams of all HTTP/2 connections, by connection and stream: requests whose answer is
// not whole yet. Capture thread. Owned by Http2Conversation. As many as there may be unanswered
// requests, of 72 bytes, and an index of 16 bytes for each that is allowed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "agent/exchange/slot_pool.h"
#include "exa/base/hash_index.h"
#include "exa/base/time.h"
#include "exa/model/exchange.h"

namespace exa {

struct Http2Stream {
  std::uint32_t connection = kNoSlot;  // its slot in the conversation
  std::uint32_t id = 0;
  std::uint32_t exchange = kNoSlot;  // its place among the open ones
  // Of the same connection.
  std::uint32_t next = kNoSlot;
  std::uint32_t previous = kNoSlot;
  // How often its direction had jumped when the message began: see Http2Direction.
  std::uint32_t request_jumps = 0;
  std::uint32_t response_jumps = 0;
  std::uint32_t chunk_offset = 0;  // of the request's first byte, in its chunk
  // As the heads say.
  std::uint64_t request_length = kUnknownBytes;
  std::uint64_t response_length = kUnknownBytes;
  MonotonicTime deadline;    // of a call, as its client told it; unknown: none
  std::uint16_t status = 0;  // as the answer's head says, also of a call, which has another
  bool request_ended = false;
  bool answered = false;     // its final head has come
  bool doubtful = false;     // its client may have reset it unseen
  bool may_be_call = false;  // of gRPC, by what is known of its head
};
static_assert(sizeof(Http2Stream) <= 72);

class StreamTable {
 public:
  // The first of a connection's, and how many they are.
  struct OfConnection {
    std::uint32_t first = kNoSlot;
    std::uint32_t count = 0;
  };

  explicit StreamTable(std::size_t most) : index_(most), pool_(whole_slabs(most)) {}

  [[nodiscard]] std::uint32_t find(std::uint32_t connection, std::uint32_t id) const;
  // One that is not in the table. kNoSlot: it is full.
  std::uint32_t insert(OfConnection& streams, std::uint32_t connection, std::uint32_t id);
  void erase(OfConnection& streams, std::uint32_t slot);

  [[nodiscard]] Http2Stream& operator[](std::uint32_t slot) { return pool_[slot]; }
  [[nodiscard]] const Http2Stream& operator[](std::uint32_t slot) const { return pool_[slot]; }

 private:
  HashIndex index_;
  SlotPool<Http2Stream> pool_;
};

}  // namespace exa
