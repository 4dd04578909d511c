// What a parser says happened to the bytes it was given.
#pragma once

#include <cstddef>
#include <cstdint>

namespace exa {

enum class ParseStatus : std::uint8_t {
  kMessage,   // a whole head or body was found; the rest of the bytes is not looked at
  kNeedMore,  // nothing wrong so far, but the end is not among the bytes
  kInvalid,   // not what the protocol allows; nothing that follows can be trusted
  kUpgraded,  // a whole head after which the connection speaks something else
};

// Why bytes are invalid; of a whole head, which rule it breaks although its start line is credible.
enum class InvalidReason : std::uint8_t {
  kNone,
  kStartLine,          // no request line or status line
  kTarget,             // the request target has none of the four forms
  kVersion,            // not HTTP/1.x
  kFieldLine,          // a header without name or colon, or with blanks before the colon
  kControlCharacter,   // NUL or a bare CR
  kContentLength,      // not one decimal number, or different ones
  kTransferEncoding,   // chunked is not the last coding of a request, or comes twice
  kLengthAndEncoding,  // both headers in one request
  kChunkFraming,       // a chunk that is not size, data and line ends
};

// Reasons that concern where a body ends: the shapes of request smuggling.
constexpr bool is_framing(InvalidReason reason) {
  return reason >= InvalidReason::kContentLength;
}

struct ParseResult {
  ParseStatus status = ParseStatus::kNeedMore;
  InvalidReason reason = InvalidReason::kNone;
  std::size_t consumed_bytes = 0;  // all of them for kNeedMore
};

}  // namespace exa
