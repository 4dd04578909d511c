#include "agent/protocol/http1/body_reader.h"

#include <algorithm>

#include "exa/base/hex.h"

namespace exa::http1 {
namespace {

// More extension or trailer than any sender has reason for.
constexpr std::uint32_t kMaxFramingBytes = 64 * 1024;
// A chunk's size of more than 60 bits is no size.
constexpr std::uint64_t kMaxChunkBytes = std::uint64_t{1} << 60;

}  // namespace

void BodyReader::start(Framing framing) {
  *this = {};
  kind_ = framing.kind;
  remaining_bytes_ = framing.length_bytes;
}

BodyResult BodyReader::consume(std::string_view bytes) {
  untouched_ = untouched_ && bytes.empty();
  switch (kind_) {
    case BodyKind::kNone:
      return {{ParseStatus::kMessage, InvalidReason::kNone, 0}, 0};
    case BodyKind::kLength: {
      const auto taken = std::min<std::uint64_t>(remaining_bytes_, bytes.size());
      remaining_bytes_ -= taken;
      return {{remaining_bytes_ == 0 ? ParseStatus::kMessage : ParseStatus::kNeedMore,
               InvalidReason::kNone, taken},
              taken};
    }
    case BodyKind::kChunked:
      return consume_chunked(bytes);
    case BodyKind::kDisputed:
      look_for_request(bytes);
      break;
    case BodyKind::kUntilClose:
    case BodyKind::kUnknown:
    case BodyKind::kLostChunks:
      break;
  }
  return {{ParseStatus::kNeedMore, InvalidReason::kNone, bytes.size()}, bytes.size()};
}

// No server answers what has no version with a status.
void BodyReader::look_for_request(std::string_view bytes) {
  constexpr std::uint64_t kVersion = 0x20'48'54'54'50'2f;  // " HTTP/"
  constexpr std::uint64_t kVersionBytes = 0xff'ff'ff'ff'ff'ff;
  for (const char c : bytes) {
    remaining_bytes_ = remaining_bytes_ << 8 | static_cast<unsigned char>(c);
    ended_ |= (remaining_bytes_ & kVersionBytes) == kVersion;
  }
}

BodyResult BodyReader::consume_chunked(std::string_view bytes) {
  std::size_t position = 0;
  std::uint64_t content = 0;
  while (position < bytes.size()) {
    if (state_ == ChunkState::kContent) {
      const auto taken = std::min<std::uint64_t>(remaining_bytes_, bytes.size() - position);
      remaining_bytes_ -= taken;
      position += taken;
      content += taken;
      if (remaining_bytes_ == 0) state_ = ChunkState::kContentCr;
      continue;
    }
    if (!step(bytes[position]))
      return {{ParseStatus::kInvalid, InvalidReason::kChunkFraming, position}, content};
    ++position;
    if (ended_) return {{ParseStatus::kMessage, InvalidReason::kNone, position}, content};
  }
  return {{ParseStatus::kNeedMore, InvalidReason::kNone, position}, content};
}

bool BodyReader::step(char c) {
  switch (state_) {
    case ChunkState::kSizeFirst:
    case ChunkState::kSize: {
      if (const int digit = hex_value(c); digit >= 0) {
        remaining_bytes_ = remaining_bytes_ << 4 | static_cast<std::uint64_t>(digit);
        state_ = ChunkState::kSize;
        return remaining_bytes_ < kMaxChunkBytes;
      }
      if (state_ == ChunkState::kSizeFirst) return false;
      [[fallthrough]];
    }
    case ChunkState::kSizeBlank:
      if (c == '\r') {
        state_ = ChunkState::kSizeLf;
      } else if (c == '\n') {
        return end_size_line();
      } else if (c == ';') {
        state_ = ChunkState::kExtension;
      } else if (c == ' ' || c == '\t') {
        state_ = ChunkState::kSizeBlank;
      } else {
        return false;
      }
      return ++framing_bytes_ < kMaxFramingBytes;
    case ChunkState::kExtension:
      if (c == '\n') return end_size_line();
      if (c == '\r') state_ = ChunkState::kSizeLf;
      return ++framing_bytes_ < kMaxFramingBytes;
    case ChunkState::kSizeLf:
      return c == '\n' && end_size_line();
    case ChunkState::kContentCr:
      if (c == '\r') {
        state_ = ChunkState::kContentLf;
        return true;
      }
      [[fallthrough]];
    case ChunkState::kContentLf:
      state_ = ChunkState::kSizeFirst;
      return c == '\n';
    case ChunkState::kTrailerFirst:
      if (c == '\r') {
        state_ = ChunkState::kFinalLf;
      } else if (c == '\n') {
        ended_ = true;
      } else {
        state_ = ChunkState::kTrailer;
      }
      return ++framing_bytes_ < kMaxFramingBytes;
    case ChunkState::kTrailer:
      if (c == '\n') state_ = ChunkState::kTrailerFirst;
      return ++framing_bytes_ < kMaxFramingBytes;
    case ChunkState::kFinalLf:
      ended_ = true;
      return c == '\n';
    case ChunkState::kContent:
      break;
  }
  return false;
}

bool BodyReader::end_size_line() {
  state_ = remaining_bytes_ == 0 ? ChunkState::kTrailerFirst : ChunkState::kContent;
  framing_bytes_ = 0;
  return true;
}

SkipResult BodyReader::skip(std::uint64_t gap_bytes) {
  if (gap_bytes == 0) return {};
  untouched_ = false;
  switch (kind_) {
    case BodyKind::kNone:
      return {SkipStatus::kPastEnd, gap_bytes, 0};
    case BodyKind::kLength: {
      const auto taken = std::min(remaining_bytes_, gap_bytes);
      remaining_bytes_ -= taken;
      if (taken < gap_bytes) return {SkipStatus::kPastEnd, gap_bytes - taken, taken};
      return {remaining_bytes_ == 0 ? SkipStatus::kEnd : SkipStatus::kInside, 0, taken};
    }
    case BodyKind::kChunked:
      return skip_chunked(gap_bytes);
    case BodyKind::kDisputed:
      ended_ = true;
      break;
    case BodyKind::kUntilClose:
    case BodyKind::kUnknown:
    case BodyKind::kLostChunks:
      break;
  }
  return {SkipStatus::kInside, 0, gap_bytes};
}

// Content is counted through, and the CRLF that must follow it.
SkipResult BodyReader::skip_chunked(std::uint64_t gap_bytes) {
  std::uint64_t content = 0;
  if (state_ == ChunkState::kContent) {
    content = std::min(remaining_bytes_, gap_bytes);
    remaining_bytes_ -= content;
    gap_bytes -= content;
    if (remaining_bytes_ == 0) state_ = ChunkState::kContentCr;
  }
  if (gap_bytes > 0 && state_ == ChunkState::kContentCr) {
    state_ = ChunkState::kContentLf;
    --gap_bytes;
  }
  if (gap_bytes > 0 && state_ == ChunkState::kContentLf) {
    state_ = ChunkState::kSizeFirst;
    --gap_bytes;
  }
  if (gap_bytes == 0) return {SkipStatus::kInside, 0, content};
  kind_ = BodyKind::kLostChunks;
  return {SkipStatus::kFramingLost, 0, content + gap_bytes};
}

}  // namespace exa::http1
