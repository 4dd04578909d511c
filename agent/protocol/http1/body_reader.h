// Counts a body to its end without keeping a byte of it, also through bytes that were not captured.
// Pure, no allocation; 16 bytes of state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/protocol/http1/framing.h"
#include "agent/protocol/parse_result.h"

namespace exa::http1 {

enum class SkipStatus : std::uint8_t {
  kInside,       // the body goes on
  kEnd,          // the gap ends exactly where the body does
  kPastEnd,      // the body ended inside the gap
  kFramingLost,  // chunk sizes were in the gap: the end must be learned otherwise
};

struct SkipResult {
  SkipStatus status = SkipStatus::kInside;
  std::uint64_t past_end_bytes = 0;
  std::uint64_t content_bytes = 0;  // all that is of the body where its framing is lost
};

struct BodyResult : ParseResult {
  std::uint64_t content_bytes = 0;  // of those consumed: without the framing of chunks
};

class BodyReader {
 public:
  // A framing of kind kNone has no body to read.
  void start(Framing framing);

  [[nodiscard]] BodyKind kind() const { return kind_; }
  // Where the body begins was seen, so that its bytes can be counted.
  [[nodiscard]] bool measurable() const {
    return kind_ != BodyKind::kUnknown && kind_ != BodyKind::kDisputed;
  }
  [[nodiscard]] bool untouched() const { return untouched_; }
  // Of a disputed body: for some reader there may be another request in it.
  [[nodiscard]] bool may_hide_request() const { return kind_ == BodyKind::kDisputed && ended_; }

  // kMessage when the body ends within bytes, kNeedMore or kInvalid.
  BodyResult consume(std::string_view bytes);

  // The same for bytes that were not captured. After kFramingLost the kind is kLostChunks.
  SkipResult skip(std::uint64_t gap_bytes);

 private:
  enum class ChunkState : std::uint8_t {
    kSizeFirst,  // first digit of a chunk's size
    kSize,
    kSizeBlank,  // blanks between size and extension or line end
    kExtension,
    kSizeLf,
    kContent,
    kContentCr,
    kContentLf,
    kTrailerFirst,  // first character of a trailer line
    kTrailer,
    kFinalLf,
  };

  void look_for_request(std::string_view bytes);
  BodyResult consume_chunked(std::string_view bytes);
  SkipResult skip_chunked(std::uint64_t gap_bytes);
  bool step(char c);  // one byte of chunk framing; false if invalid
  bool end_size_line();

  std::uint64_t remaining_bytes_ = 0;  // of the body, or of the chunk; the last 8 of a disputed one
  std::uint32_t framing_bytes_ = 0;    // of the current extension, or of all trailers
  BodyKind kind_ = BodyKind::kNone;
  ChunkState state_ = ChunkState::kSizeFirst;
  bool ended_ = false;  // a disputed body may have, for some reader
  bool untouched_ = true;
};
static_assert(sizeof(BodyReader) == 16);

}  // namespace exa::http1
