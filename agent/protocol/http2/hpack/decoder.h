// Header blocks of one direction of an HTTP/2 connection into fields: HPACK (RFC 7541), for an
// onlooker that may come late or miss a part. What it cannot know it calls unknown; no field ever
// comes out with another text than the peer's decoder saw.
//
// Every block goes through, whole and in order. Of one that was not seen, or not to its end, the
// decoder must be told by lose().
//
// Pure, one thread, no allocation. About 5 KiB, and nothing to construct or destroy but a few
// words: an array of decoders is a pool, from which restart() takes one up again. A larger table
// (16 KiB, of which a pool needs but few) is lent by the owner.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "agent/protocol/http2/hpack/dynamic_table.h"

namespace exa::hpack {

// Beyond either a field is dropped and counted; the table is kept right.
inline constexpr std::uint32_t kMaxBlockFields = 64;
inline constexpr std::size_t kMaxBlockTextBytes = 16 * 1024;

enum class Start : std::uint8_t {
  kFromStart,  // of the connection: the table is empty
  kJoined,     // in its middle: the table's content is unknown
};

// Views are valid during the call of the sink.
struct Field {
  std::string_view name;   // empty if not known
  std::string_view value;  // the same
  // Which entry of the table is not known (or, where only the name is not: whose name that is). The
  // same entry has the same number, and no other one has it, for the life of the connection: of
  // those older than the join -1, -2 and so on, back from the newest; positive if the entry came
  // since then and its text is not held, or was lost. 0: all is known, or it is a literal of over 4
  // KiB.
  std::int64_t unknown_id = 0;
  bool name_known = true;
  bool value_known = true;
};

enum class BlockStatus : std::uint8_t {
  kDecoded,
  kTruncated,   // ends within a field
  kInteger,     // more than 32 bits, or more than 5 octets behind the prefix
  kIndex,       // 0, or beyond the table
  kHuffman,     // the end-of-string symbol in a string, or padding that is not at most 7 ones
  kSizeUpdate,  // above the limit, or behind a field
};

struct BlockResult {
  BlockStatus status = BlockStatus::kDecoded;
  std::uint32_t fields = 0;          // told to the sink
  std::uint32_t dropped_fields = 0;  // beyond the bounds of a block
};

class Decoder {
 public:
  explicit Decoder(Start start = Start::kFromStart) { restart(start); }

  // For another connection; a lent table is the owner's again.
  void restart(Start start);

  // Calls sink(const Field&) for each field, in order. With any status but kDecoded the block is
  // not valid HPACK for the table as it was thought to be, fields that came out of it may be wrong,
  // and the decoder goes on as after lose().
  template <typename Sink>
  BlockResult decode(std::string_view block, Sink&& sink) {
    return decode_block(
        block,
        [](void* to, const Field& field) {
          (*static_cast<std::remove_reference_t<Sink>*>(to))(field);
        },
        const_cast<void*>(static_cast<const void*>(std::addressof(sink))));
  }

  // A block, or the rest of one, was not seen: as joined here. A limit must be set anew.
  void lose();

  // SETTINGS_HEADER_TABLE_SIZE of the peer that receives these blocks, from when the sender has
  // acknowledged it. Until then 4,096 bytes from the start; of a joined connection none is known.
  void set_limit(std::uint32_t bytes);

  // The encoder uses, or after a join may use, a larger table than the decoder holds: what is older
  // than the last 4 KiB of it is unknown.
  [[nodiscard]] bool wants_large_table() const;
  // At any time. It must stay until the next restart, and serve no other decoder.
  void use_large_table(LargeTableRoom& room) { table_.move_to(room); }

  [[nodiscard]] const DynamicTable& table() const { return table_; }
  [[nodiscard]] bool knows_limit() const { return limit_known_; }
  [[nodiscard]] std::uint32_t limit_bytes() const { return limit_bytes_; }

  // Right after a restart: where another decoder of the same direction stood, and its entries, the
  // oldest first.
  struct Sizes {
    std::uint32_t size_bytes = 0;
    std::uint32_t limit_bytes = 0;
    bool size_known = false;
    bool limit_known = false;
  };
  void take_up(const Sizes& sizes);
  void take_up(const Piece& name, const Piece& value) { table_.insert(name, value); }

 private:
  using Tell = void (*)(void* sink, const Field& field);
  class Block;
  class Output;

  BlockResult decode_block(std::string_view bytes, Tell tell, void* sink);
  BlockStatus read_block(Block& block, Output& output);
  BlockStatus read_indexed(Block& block, Output& output);
  BlockStatus read_literal(Block& block, Output& output);
  BlockStatus read_size_update(Block& block);

  DynamicTable table_;
  std::uint32_t limit_bytes_ = 0;
  bool limit_known_ = false;
};
static_assert(std::is_trivially_copyable_v<Decoder> && std::is_trivially_destructible_v<Decoder>);
static_assert(sizeof(Decoder) <= 5 * 1024);

}  // namespace exa::hpack
