// A table that its owner was seen to have, into a decoder that came too late to know all of it.
// Pure, one thread; allocates.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "agent/protocol/http2/hpack/decoder.h"

namespace exa::hpack {

struct SeenEntry {
  std::string_view name;
  std::string_view value;
};

// entries: the newest ones of the table, the newest first, as it was when its newest entry had one
// of these numbers (DynamicTable::newest()). What the decoder knows of them must be there, in one
// place only: else false, and it is as it was. The numbers of unknown entries change.
[[nodiscard]] bool learn(Decoder& decoder, std::span<const SeenEntry> entries,
                         std::int64_t first_number, std::int64_t last_number);

}  // namespace exa::hpack
