// A decoder's table as text, for another agent that goes on where this one ends. Of values only
// those go in whose names the owner asks for: the others may be secrets, and only their lengths do.
// Pure, one thread; allocates. Every byte of a text may be hostile.
#pragma once

#include <string>
#include <string_view>

#include "agent/protocol/http2/hpack/decoder.h"

namespace exa::hpack {

using KeepsValue = bool (*)(std::string_view name, std::string_view value);

[[nodiscard]] std::string text_of(const Decoder& decoder, KeepsValue keeps);

// False if it is none: then the decoder is as it was.
[[nodiscard]] bool restore(Decoder& decoder, std::string_view text);

}  // namespace exa::hpack
