// One record of frames (exa/abi/http2.h), walked over in the same steps in which it was made. The
// walk checks itself: it must come out exactly at the record's end.
// Pure, any thread, no allocation. Borrows the record's bytes. Every byte may be hostile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "exa/abi/http2.h"

namespace exa::http2 {

// RFC 9113 section 4.1. Positions count the bytes of its direction; of a frame that was under way
// when the connection was joined they may lie before the first byte that was seen, modulo 2^64.
struct Frame {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::uint32_t length = 0;  // of its payload, bytes
  std::uint64_t begin = 0;   // its first byte

  [[nodiscard]] bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
  [[nodiscard]] std::uint64_t end() const { return begin + EXA_HTTP2_HEADER_BYTES + length; }
  // Its last byte ends its stream's message, or the head that does.
  [[nodiscard]] bool ends_stream() const {
    return type <= EXA_HTTP2_HEADERS && has(EXA_HTTP2_END_STREAM);
  }
};

enum class FrameStep : std::uint8_t {
  kBegun,     // the header of frame() is whole
  kPayload,   // payload() went by, or so many bytes of one that is left out
  kEnded,     // and that was the frame's last byte
  kOver,      // the record is over
  kMismatch,  // it is not one of the programs' making; what came of it so far may be wrong
};

class FrameReader {
 public:
  // A record of so many true bytes from a position on. flow is its exa_http2_flow.
  FrameReader(std::span<const std::byte> flow, std::span<const std::byte> kept,
              std::uint64_t position, std::uint64_t length_bytes);

  // After kOver and kMismatch the same again.
  FrameStep next();

  // The one under way. Before the first kBegun it began in an earlier record.
  [[nodiscard]] const Frame& frame() const { return frame_; }
  // Of the payload that just went by; empty if that is left out.
  [[nodiscard]] std::string_view payload() const { return payload_; }
  [[nodiscard]] std::uint32_t payload_offset() const { return payload_offset_; }  // in the frame
  [[nodiscard]] std::uint32_t payload_bytes() const { return payload_bytes_; }

  // Before the record. Frames went by unseen since the last one; the client's preface is in it.
  [[nodiscard]] bool missed() const { return missed_; }
  [[nodiscard]] bool has_preface() const { return has_preface_; }

  // At the record's end.
  [[nodiscard]] bool within_frame() const {
    return flow_.have == EXA_HTTP2_HEADER_BYTES && !mismatched_;
  }

 private:
  FrameStep take_header();
  FrameStep take_payload();
  FrameStep mismatch();

  exa_http2_flow flow_;
  std::string_view kept_;
  std::uint64_t position_;
  std::uint64_t left_bytes_;
  Frame frame_;
  std::string_view payload_;
  std::uint32_t payload_offset_ = 0;
  std::uint32_t payload_bytes_ = 0;
  bool missed_ = false;
  bool has_preface_ = false;
  bool mismatched_ = false;
  bool ends_next_ = false;  // a frame without payload
};

}  // namespace exa::http2
