// Header blocks of one direction. From the start everything is as libnghttp2 decodes it, or is told
// to be unknown where a table is larger than what is held; a decoder that joined at some block, or
// lost some, says the same or that it does not know, and what it calls by one number is one text.
//
// The first byte: bits 0 to 3 the block at which one joins, 4 whether it learns limits, 5 whether
// large tables are lent. Then frames by their first byte: below f0 a block of so many bytes, up to
// f7 one of 256 times its low three bits and the next byte, up to fb a limit by the next byte,
// above a loss.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/protocol/http2/hpack/decoder.h"
#include "tests/fuzz/seen_field.h"
#include "tests/support/hpack_oracle.h"

namespace {

using exa::fuzz::SeenField;
using exa::hpack::BlockStatus;
using exa::hpack::Decoder;
using exa::hpack::Field;
using exa::hpack::LargeTableRoom;
using exa::hpack::Start;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Block {
  BlockStatus status = BlockStatus::kDecoded;
  std::vector<SeenField> fields;
  std::uint32_t dropped = 0;
  [[nodiscard]] bool all_known() const {
    for (const auto& field : fields)
      if (!field.name_known || !field.value_known) return false;
    return true;
  }
};

// Of its own size, so that a read beyond it shows.
std::vector<char> copy_of(std::string_view block) {
  return {block.begin(), block.end()};
}

template <typename Sink>
exa::hpack::BlockResult decode(Decoder& decoder, std::string_view block, Sink&& sink) {
  const auto bytes = copy_of(block);
  const auto result = decoder.decode({bytes.data(), bytes.size()}, sink);
  const auto& table = decoder.table();
  require(result.fields <= exa::hpack::kMaxBlockFields);
  require(table.entries() <= (table.is_large() ? LargeTableRoom::kEntries : 128u));
  require(!table.knows_size() || table.held_bytes() <= table.size_bytes());
  return result;
}

Block decode_start(Decoder& decoder, std::string_view bytes) {
  Block block;
  std::size_t text_bytes = 0;
  const auto result = decode(decoder, bytes, [&](const Field& field) {
    require(field.name_known || field.name.empty());
    require(field.value_known || field.value.empty());
    text_bytes += field.name.size() + field.value.size();
    block.fields.emplace_back(field);
  });
  require(block.fields.size() == result.fields && text_bytes <= exa::hpack::kMaxBlockTextBytes);
  block.status = result.status;
  block.dropped = result.dropped_fields;
  return block;
}

class Onlooker {
 public:
  explicit Onlooker(Start start) : decoder(start) {}

  // truth: of a block that is valid.
  void check(std::string_view bytes, const Block& truth) {
    std::size_t at = 0;
    const auto result = decode(decoder, bytes, [&](const Field& field) {
      // What is unknown takes no bytes, so that more may be told than of the truth.
      if (truth.dropped != 0) return;
      require(at < truth.fields.size());
      const auto& field_truth = truth.fields[at++];
      compare(field, field_truth);
    });
    require(result.status == BlockStatus::kDecoded);
    require(truth.dropped != 0 || at == truth.fields.size());
  }

  Decoder decoder;

 private:
  void compare(const Field& field, const SeenField& truth) {
    if (field.name_known && truth.name_known) require(field.name == truth.name);
    if (field.value_known && truth.value_known) require(field.value == truth.value);
    if (field.name_known && field.value_known) require(field.unknown_id == 0);
    if (field.unknown_id == 0) return;
    if (truth.name_known)
      require(names_.try_emplace(field.unknown_id, truth.name).first->second == truth.name);
    if (truth.value_known && !field.value_known)
      require(values_.try_emplace(field.unknown_id, truth.value).first->second == truth.value);
  }

  std::map<std::int64_t, std::string> names_;
  std::map<std::int64_t, std::string> values_;
};

#if EXA_HAS_NGHTTP2
class Oracle {
 public:
  // What our decoder made of the block must be what this one does. False: there is no truth any
  // more.
  bool agrees(std::string_view bytes, const Block& block, const Decoder& decoder) {
    const bool starts_with_update =
        !bytes.empty() && (static_cast<unsigned char>(bytes.front()) & 0xe0) == 0x20;
    const auto truth = decoder_.decode(bytes);
    if (!truth) {
      // That a lowered limit was not followed by an update is for the peers to complain about; and
      // how far back a table reaches is not known exactly where it is not all held.
      require(owes_update_ || block.status != BlockStatus::kDecoded || inexact_ ||
              decoder.table().may_have_older());
      return false;
    }
    owes_update_ &= !starts_with_update;
    inexact_ |= decoder.table().may_have_older();
    require(block.status == BlockStatus::kDecoded);
    require(truth->size() == block.fields.size() + block.dropped);
    if (block.dropped != 0) return true;
    for (std::size_t i = 0; i < truth->size(); ++i) {
      const auto& [name, value] = (*truth)[i];
      const auto& field = block.fields[i];
      // Only what is too long, or older than what is held of a large table.
      require(field.name_known ? field.name == name : name.size() > 4096 || inexact_);
      require(field.value_known ? field.value == value : value.size() > 4096 || inexact_);
    }
    return true;
  }
  void set_limit(std::uint32_t bytes) {
    owes_update_ = true;
    decoder_.set_limit(bytes);
  }

 private:
  exa::hpack::OracleDecoder decoder_;
  bool owes_update_ = false;
  bool inexact_ = false;
};
#else
class Oracle {
 public:
  bool agrees(std::string_view, const Block& block, const Decoder&) {
    return block.status == BlockStatus::kDecoded && block.all_known();
  }
  void set_limit(std::uint32_t) {}
};
#endif

class Input {
 public:
  explicit Input(std::string_view bytes) : left_(bytes) {}
  [[nodiscard]] bool at_end() const { return left_.empty(); }
  unsigned byte() {
    if (left_.empty()) return 0;
    const auto first = static_cast<unsigned char>(left_.front());
    left_.remove_prefix(1);
    return first;
  }
  std::string_view bytes(std::size_t count) {
    const auto taken = left_.substr(0, count);
    left_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view left_;
};

constexpr std::uint32_t kLimits[] = {0, 40, 100, 1'000, 4'096, 8'192, 16'384, 65'536};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({reinterpret_cast<const char*>(data), size});
  const auto options = input.byte();
  const unsigned joins_at = options & 0x0f;
  const bool tells_joined = (options & 0x10) != 0;
  const bool lends = (options & 0x20) != 0;
  const auto rooms = std::make_unique<LargeTableRoom[]>(3);

  Decoder start;
  Onlooker joined(Start::kJoined);
  Onlooker losing(Start::kFromStart);
  Oracle oracle;
  bool has_truth = true;
  if (lends) {
    start.use_large_table(rooms[0]);
    joined.decoder.use_large_table(rooms[1]);
    losing.decoder.use_large_table(rooms[2]);
  }
  unsigned blocks = 0;
  bool loses_next = false;
  bool lost = false;
  while (!input.at_end()) {
    const auto kind = input.byte();
    if (kind >= 0xfc) {
      loses_next = true;
      continue;
    }
    if (kind >= 0xf8) {
      const auto limit = kLimits[input.byte() % 8];
      if (has_truth) oracle.set_limit(limit);
      start.set_limit(limit);
      if (!lost) losing.decoder.set_limit(limit);
      if (tells_joined) joined.decoder.set_limit(limit);
      continue;
    }
    const auto bytes = input.bytes(kind < 0xf0 ? kind : (kind & 7) << 8 | input.byte());
    const auto block = decode_start(start, bytes);
    if (has_truth) has_truth = oracle.agrees(bytes, block, start);
    if (!has_truth) {
      // All go on, and none must do more than give up.
      decode(joined.decoder, bytes, [](const Field&) {});
      decode(losing.decoder, bytes, [](const Field&) {});
      continue;
    }
    if (blocks++ >= joins_at) joined.check(bytes, block);
    if (loses_next) {
      losing.decoder.lose();
      lost = true;
      loses_next = false;
    } else {
      losing.check(bytes, block);
    }
  }
  return 0;
}
