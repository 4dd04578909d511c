// Walks over one record of frames in the steps of the kernel's walk (exa/abi/http2.h), and tells
// what came by. A record stands for itself: what it begins within is in its flow.
// Pure, no allocation; views borrow from the record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "exa/abi/http2.h"

namespace exa::http2 {

class FrameReader {
 public:
  enum class Step : std::uint8_t {
    kHeader,    // a frame's header is whole
    kPayload,   // some of the payload of a type that is kept
    kEnd,       // the frame's last byte came by
    kDone,      // at the record's end
    kMismatch,  // the record contradicts itself
  };

  // flow: an exa_http2_flow, as it lies in the record. kept: the bytes that the kernel kept of
  // length_bytes.
  FrameReader(std::span<const std::byte> flow, std::string_view kept, std::uint64_t length_bytes);

  // A flow that can be.
  [[nodiscard]] bool valid() const { return valid_; }
  // Frames went by unseen before the record.
  [[nodiscard]] bool missed() const { return missed_; }
  // The record begins with the client's preface, or within it.
  [[nodiscard]] bool has_preface() const { return preface_; }

  Step next();

  // Of the frame that the last step was about; it may have begun in an earlier record.
  [[nodiscard]] std::uint8_t type() const { return flow_.header[3]; }
  [[nodiscard]] std::uint8_t flags() const { return flow_.header[4]; }
  [[nodiscard]] bool has(std::uint8_t flag) const { return (flags() & flag) != 0; }
  [[nodiscard]] std::uint32_t stream() const { return exa_http2_stream(flow_.header); }
  [[nodiscard]] std::uint32_t length_bytes() const { return exa_http2_length(flow_.header); }
  // Of kHeader: where the frame began, from the record's first byte; negative in an earlier one.
  [[nodiscard]] std::int64_t began_at() const { return began_at_; }
  // Of kPayload.
  [[nodiscard]] std::string_view payload() const { return payload_; }

 private:
  Step header(std::uint32_t bytes);

  exa_http2_flow flow_{};
  std::string_view kept_;
  std::string_view payload_;
  std::uint64_t left_;
  std::int64_t at_ = 0;  // from the record's first byte
  std::int64_t began_at_ = 0;
  bool valid_ = false;
  bool missed_ = false;
  bool preface_ = false;
  bool ends_ = false;  // the frame's end is the next step
};

}  // namespace exa::http2
