// What one agent leaves to the next one. The first byte: bit 0 a text of another agent, of any
// bytes; else blocks as in `hpack`, each of so many bytes as the one before them says, between
// which the table goes through its text at the block of bits 1 to 7: from then on what comes out of
// both decoders is the same, or not known to the one that took it up.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "agent/connection/handed_over.h"
#include "agent/protocol/http2/hpack/table_text.h"

namespace {

using exa::hpack::BlockStatus;
using exa::hpack::Decoder;

constexpr exa::MonotonicTime kNow{1'000'000};

void require(bool holds) {
  if (!holds) std::abort();
}

struct Seen {
  std::string name;
  std::string value;
  bool name_known = true;
  bool value_known = true;
};

std::vector<Seen> fields_of(Decoder& decoder, std::string_view block, BlockStatus& status) {
  std::vector<Seen> fields;
  const std::vector<char> copy(block.begin(), block.end());
  status = decoder
               .decode({copy.data(), copy.size()},
                       [&](const exa::hpack::Field& field) {
                         fields.push_back({std::string(field.name), std::string(field.value),
                                           field.name_known, field.value_known});
                       })
               .status;
  return fields;
}

void compare(Decoder& decoder, Decoder& next, std::string_view block) {
  BlockStatus status{};
  BlockStatus next_status{};
  const auto fields = fields_of(decoder, block, status);
  const auto next_fields = fields_of(next, block, next_status);
  require(status == next_status && fields.size() == next_fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    require(!next_fields[i].name_known || next_fields[i].name == fields[i].name);
    require(!next_fields[i].value_known || next_fields[i].value == fields[i].value);
  }
}

bool keeps_short(std::string_view /*name*/, std::string_view value) {
  return value.size() < 10;
}

void blocks(std::string_view input, std::size_t handed_over_at) {
  Decoder decoder;
  Decoder next;
  bool both = false;
  for (std::size_t number = 0; !input.empty(); ++number) {
    const std::size_t bytes = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    const auto block = input.substr(0, bytes);
    input.remove_prefix(block.size());
    if (number == handed_over_at) {
      require(exa::hpack::restore(next, exa::hpack::text_of(decoder, keeps_short)));
      require(next.table().held_bytes() == decoder.table().held_bytes());
      both = true;
    }
    if (both) {
      compare(decoder, next, block);
    } else {
      BlockStatus status{};
      (void)fields_of(decoder, block, status);
    }
  }
}

void any_text(std::string_view text) {
  auto known = exa::HandedOver::from_text(text, kNow);
  const auto again = known.to_text(kNow);
  require(exa::HandedOver::from_text(again, kNow).to_text(kNow) == again);
  Decoder decoder;
  if (!exa::hpack::restore(decoder, text)) return;
  const auto all = [](std::string_view, std::string_view) { return true; };
  Decoder next;
  require(exa::hpack::restore(next, exa::hpack::text_of(decoder, all)));
  BlockStatus status{};
  (void)fields_of(next, text, status);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 1) != 0) {
    any_text(input);
  } else {
    blocks(input, data[0] >> 1);
  }
  return 0;
}
