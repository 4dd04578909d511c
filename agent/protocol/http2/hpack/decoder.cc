#include "agent/protocol/http2/hpack/decoder.h"

#include <cstring>

#include "agent/protocol/http2/hpack/huffman.h"
#include "agent/protocol/http2/hpack/static_table.h"

namespace exa::hpack {
namespace {

// The first bits of a representation, section 6.
constexpr unsigned kIndexed = 0x80;
constexpr unsigned kIncremental = 0x40;
constexpr unsigned kSizeUpdateMask = 0xe0;
constexpr unsigned kSizeUpdate = 0x20;
constexpr unsigned kHuffmanCoded = 0x80;

Piece text_piece(std::string_view text) {
  return {.knowledge = Knowledge::kText, .text = text, .length_bytes = text.size()};
}

Field field_of(const Piece& name, const Piece& value, std::int64_t unknown_id) {
  return {.name = name.text,
          .value = value.text,
          .unknown_id = unknown_id,
          .name_known = name.knowledge == Knowledge::kText,
          .value_known = value.knowledge == Knowledge::kText};
}

}  // namespace

// Reads the primitives of section 5.
class Decoder::Block {
 public:
  explicit Block(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  [[nodiscard]] bool at_end() const { return at_ == end_; }
  [[nodiscard]] unsigned peek() const { return static_cast<unsigned char>(*at_); }

  // The block is not at its end.
  BlockStatus read_integer(unsigned prefix_bits, std::uint32_t& value) {
    const auto most = (1u << prefix_bits) - 1;
    value = peek() & most;
    ++at_;
    return value < most ? BlockStatus::kDecoded : read_long_integer(value);
  }

  // scratch: kMaxStringBytes and the slack, for a text that does not stand in the block itself.
  BlockStatus read_string(char* scratch, Piece& piece) {
    if (at_end()) return BlockStatus::kTruncated;
    const bool coded = (peek() & kHuffmanCoded) != 0;
    std::uint32_t length = 0;
    if (const auto status = read_integer(7, length); status != BlockStatus::kDecoded) return status;
    if (length > static_cast<std::size_t>(end_ - at_)) return BlockStatus::kTruncated;
    std::string_view text(at_, length);
    at_ += length;
    piece = text_piece(text);
    if (coded) {
      const auto decoded = decode_huffman(text, scratch, kMaxStringBytes);
      if (!decoded) return BlockStatus::kHuffman;
      piece.text = {scratch, *decoded};
      piece.length_bytes = *decoded;
    }
    if (piece.length_bytes > kMaxStringBytes) {
      piece.knowledge = Knowledge::kTooLong;
      piece.text = {};
    }
    return BlockStatus::kDecoded;
  }

 private:
  BlockStatus read_long_integer(std::uint32_t& value) {
    std::uint64_t sum = value;
    for (unsigned shift = 0; shift <= 28; shift += 7) {
      if (at_end()) return BlockStatus::kTruncated;
      const auto octet = peek();
      ++at_;
      sum += std::uint64_t{octet & 0x7f} << shift;
      if (sum > UINT32_MAX) return BlockStatus::kInteger;
      if (octet < 0x80) {
        value = static_cast<std::uint32_t>(sum);
        return BlockStatus::kDecoded;
      }
    }
    return BlockStatus::kInteger;
  }

  const char* at_;
  const char* end_;
};

class Decoder::Output {
 public:
  Output(Tell call, void* sink) : call_(call), sink_(sink) {}

  void tell(const Field& field) {
    const auto bytes = field.name.size() + field.value.size();
    if (told_ == kMaxBlockFields || bytes > kMaxBlockTextBytes - bytes_) {
      ++dropped_;
      return;
    }
    ++told_;
    bytes_ += bytes;
    call_(sink_, field);
  }
  [[nodiscard]] BlockResult result(BlockStatus status) const { return {status, told_, dropped_}; }

 private:
  Tell call_;
  void* sink_;
  std::size_t bytes_ = 0;
  std::uint32_t told_ = 0;
  std::uint32_t dropped_ = 0;
};

void Decoder::restart(Start start) {
  limit_known_ = start == Start::kFromStart;
  limit_bytes_ = kInitialTableBytes;
  if (start == Start::kFromStart) {
    table_.start();
  } else {
    table_.join();
  }
}

void Decoder::lose() {
  limit_known_ = false;
  table_.lose();
}

void Decoder::set_limit(std::uint32_t bytes) {
  limit_known_ = true;
  limit_bytes_ = bytes;
}

void Decoder::take_up(const Sizes& sizes) {
  limit_known_ = sizes.limit_known;
  limit_bytes_ = sizes.limit_bytes;
  if (sizes.size_known) table_.resize(sizes.size_bytes);
}

bool Decoder::wants_large_table() const {
  if (table_.is_large()) return false;
  if (table_.knows_size()) return table_.size_bytes() > kInitialTableBytes;
  return limit_known_ && limit_bytes_ > kInitialTableBytes;
}

BlockResult Decoder::decode_block(std::string_view bytes, Tell tell, void* sink) {
  Block block(bytes);
  Output output(tell, sink);
  const auto status = read_block(block, output);
  if (status != BlockStatus::kDecoded) lose();
  return output.result(status);
}

BlockStatus Decoder::read_block(Block& block, Output& output) {
  bool in_fields = false;
  while (!block.at_end()) {
    auto status = BlockStatus::kSizeUpdate;
    if ((block.peek() & kIndexed) != 0) {
      in_fields = true;
      status = read_indexed(block, output);
    } else if ((block.peek() & kSizeUpdateMask) != kSizeUpdate) {
      in_fields = true;
      status = read_literal(block, output);
    } else if (!in_fields) {
      status = read_size_update(block);
    }
    if (status != BlockStatus::kDecoded) return status;
  }
  return BlockStatus::kDecoded;
}

BlockStatus Decoder::read_indexed(Block& block, Output& output) {
  std::uint32_t index = 0;
  if (const auto status = block.read_integer(7, index); status != BlockStatus::kDecoded)
    return status;
  if (index == 0) return BlockStatus::kIndex;
  if (index <= kStaticEntries) {
    const auto& entry = kStaticTable[index - 1];
    output.tell({.name = entry.name, .value = entry.value});
    return BlockStatus::kDecoded;
  }
  Field field;
  if (table_.find_texts(index - kStaticEntries, field.name, field.value)) {
    output.tell(field);
    return BlockStatus::kDecoded;
  }
  DynamicTable::Found found;
  if (!table_.find(index - kStaticEntries, found)) return BlockStatus::kIndex;
  output.tell(field_of(found.name, found.value, found.unknown));
  return BlockStatus::kDecoded;
}

BlockStatus Decoder::read_literal(Block& block, Output& output) {
  char name_text[kMaxStringBytes + kHuffmanSlackBytes];
  char value_text[kMaxStringBytes + kHuffmanSlackBytes];
  const bool incremental = (block.peek() & kIncremental) != 0;
  std::uint32_t index = 0;
  auto status = block.read_integer(incremental ? 6 : 4, index);
  if (status != BlockStatus::kDecoded) return status;

  DynamicTable::Found found;
  if (index == 0) {
    status = block.read_string(name_text, found.name);
  } else if (index <= kStaticEntries) {
    found.name = text_piece(kStaticTable[index - 1].name);
  } else if (!table_.find_name(index - kStaticEntries, found)) {
    status = BlockStatus::kIndex;
  }
  if (status != BlockStatus::kDecoded) return status;
  Piece value;
  status = block.read_string(value_text, value);
  if (status != BlockStatus::kDecoded) return status;

  // An entry's number would say that the value is the same each time.
  const bool value_known = value.knowledge == Knowledge::kText;
  output.tell(field_of(found.name, value, value_known ? found.unknown : 0));
  if (!incremental) return BlockStatus::kDecoded;
  if (index > kStaticEntries && !found.name.text.empty()) {
    // Of the table's own, which the insertion may move or evict.
    std::memcpy(name_text, found.name.text.data(), found.name.text.size());
    found.name.text = {name_text, found.name.text.size()};
  }
  table_.insert(found.name, value);
  return BlockStatus::kDecoded;
}

BlockStatus Decoder::read_size_update(Block& block) {
  std::uint32_t bytes = 0;
  if (const auto status = block.read_integer(5, bytes); status != BlockStatus::kDecoded)
    return status;
  if (limit_known_ && bytes > limit_bytes_) return BlockStatus::kSizeUpdate;
  table_.resize(bytes);
  return BlockStatus::kDecoded;
}

}  // namespace exa::hpack
