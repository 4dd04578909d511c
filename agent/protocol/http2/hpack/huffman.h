// Huffman-coded strings, RFC 7541 sections 5.2 and appendix B.
// Pure, any thread, no allocation; its tables are computed when this is compiled.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace exa::hpack {

// Room behind the text that decoding may write to.
inline constexpr std::size_t kHuffmanSlackBytes = 16;

// Decodes into to[0, room_bytes) and returns the length of the text. A text longer than the room is
// read to its end, so that its length is right, but what stands in the room then is no part of it.
// Nothing: the string holds the end-of-string symbol, or its padding is not at most 7 ones.
std::optional<std::size_t> decode_huffman(std::string_view coded, char* to, std::size_t room_bytes);

}  // namespace exa::hpack
