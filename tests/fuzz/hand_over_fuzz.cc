// What one agent leaves to the next one, and what a process tells. The first byte: bits 0 and 1
// how, bits 2 to 5 at which block. 1 is a text of another agent, of any bytes; else blocks, each of
// so many bytes as the one before them says. 0: at that block the table goes through its text, and
// from then on what comes out of both decoders is the same, or not known to the one that took it
// up. 2: at that block a decoder that joined at the block of bits 6 and 7, or there if that is
// later, is told the table, likewise.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "agent/connection/handed_over.h"
#include "agent/protocol/http2/hpack/learn.h"
#include "agent/protocol/http2/hpack/table_text.h"
#include "tests/fuzz/seen_field.h"

namespace {

using exa::fuzz::SeenField;
using exa::hpack::BlockStatus;
using exa::hpack::Decoder;

constexpr exa::MonotonicTime kNow{1'000'000};

void require(bool holds) {
  if (!holds) std::abort();
}

std::vector<SeenField> fields_of(Decoder& decoder, std::string_view block, BlockStatus& status) {
  std::vector<SeenField> fields;
  const std::vector<char> copy(block.begin(), block.end());
  status = decoder
               .decode({copy.data(), copy.size()},
                       [&](const exa::hpack::Field& field) { fields.emplace_back(field); })
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
    require(next_fields[i].agrees_with(fields[i]));
  }
}

bool keeps_short(std::string_view /*name*/, std::string_view value) {
  return value.size() < 10;
}

// Calls on(number, block) for each.
template <typename On>
void for_each_block(std::string_view input, const On& on) {
  for (std::size_t number = 0; !input.empty(); ++number) {
    const std::size_t bytes = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    const auto block = input.substr(0, bytes);
    input.remove_prefix(block.size());
    if (!on(number, block)) return;
  }
}

void hand_over(std::string_view input, std::size_t at) {
  Decoder decoder;
  Decoder next;
  bool both = false;
  for_each_block(input, [&](std::size_t number, std::string_view block) {
    if (number == at) {
      require(exa::hpack::restore(next, exa::hpack::text_of(decoder, keeps_short)));
      require(next.table().held_bytes() == decoder.table().held_bytes());
      both = true;
    }
    BlockStatus status{};
    if (both) {
      compare(decoder, next, block);
    } else {
      (void)fields_of(decoder, block, status);
    }
    return true;
  });
}

void tell(std::string_view input, std::size_t at, std::size_t joined_at) {
  Decoder whole;
  Decoder late(exa::hpack::Start::kJoined);
  for_each_block(input, [&](std::size_t number, std::string_view block) {
    if (number == at) {
      std::vector<exa::hpack::SeenEntry> entries;
      for (std::uint64_t back = 1; back <= whole.table().entries(); ++back) {
        exa::hpack::DynamicTable::Found found;
        require(whole.table().find(back, found));
        if (found.name.knowledge != exa::hpack::Knowledge::kText ||
            found.value.knowledge != exa::hpack::Knowledge::kText)
          break;
        entries.push_back({found.name.text, found.value.text});
      }
      const auto newest = late.table().newest();
      (void)exa::hpack::learn(late, entries, newest, newest);
    }
    BlockStatus status{};
    const auto fields = fields_of(whole, block, status);
    if (status != BlockStatus::kDecoded) return false;  // peers would close
    if (number < joined_at) return true;
    BlockStatus late_status{};
    const auto late_fields = fields_of(late, block, late_status);
    require(late_status == BlockStatus::kDecoded && late_fields.size() == fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
      require(late_fields[i].agrees_with(fields[i]));
    }
    return true;
  });
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
  const std::size_t at = data[0] >> 2 & 15;
  const std::size_t joined_at = data[0] >> 6;
  switch (data[0] & 3) {
    case 1:
      any_text(input);
      break;
    case 2:
      tell(input, std::max(at, joined_at), joined_at);
      break;
    default:
      hand_over(input, at);
      break;
  }
  return 0;
}
