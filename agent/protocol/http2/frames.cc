#include "agent/protocol/http2/frames.h"

#include <algorithm>
#include <cstring>

namespace exa::http2 {
namespace {

// Can the walk have stood like that at a record's first byte?
bool is_sound(const exa_http2_flow& flow) {
  constexpr std::uint8_t kFlags = EXA_HTTP2_IN_STEP | EXA_HTTP2_MISSED;
  if ((flow.flags & ~kFlags) != 0 || (flow.flags & EXA_HTTP2_IN_STEP) == 0) return false;
  if (flow.preface_left > EXA_HTTP2_PREFACE_BYTES || flow.have > EXA_HTTP2_HEADER_BYTES)
    return false;
  if (flow.preface_left > 0) return flow.have == 0 && flow.left == 0;
  if (flow.have < EXA_HTTP2_HEADER_BYTES) return flow.left == 0;
  return flow.left > 0 && flow.left <= exa_http2_length(flow.header) &&
         exa_http2_possible(flow.header);
}

Frame frame_of(const exa_http2_flow& flow, std::uint64_t begin) {
  return {.type = flow.header[3],
          .flags = flow.header[4],
          .stream = exa_http2_stream(flow.header),
          .length = exa_http2_length(flow.header),
          .begin = begin};
}

}  // namespace

FrameReader::FrameReader(std::span<const std::byte> flow, std::span<const std::byte> kept,
                         std::uint64_t position, std::uint64_t length_bytes)
    : flow_{},
      kept_(reinterpret_cast<const char*>(kept.data()), kept.size()),
      position_(position),
      left_bytes_(length_bytes) {
  if (flow.size() == sizeof flow_) std::memcpy(&flow_, flow.data(), sizeof flow_);
  mismatched_ = !is_sound(flow_);
  if (mismatched_) return;
  missed_ = (flow_.flags & EXA_HTTP2_MISSED) != 0;
  has_preface_ = flow_.preface_left > 0;
  if (within_frame()) {
    const auto past = exa_http2_length(flow_.header) - flow_.left;
    frame_ = frame_of(flow_, position - past - EXA_HTTP2_HEADER_BYTES);
  }
}

FrameStep FrameReader::next() {
  if (mismatched_) return FrameStep::kMismatch;
  if (ends_next_) {
    ends_next_ = false;
    return FrameStep::kEnded;
  }
  while (left_bytes_ > 0) {
    switch (exa_http2_part_of(&flow_)) {
      case EXA_HTTP2_PREFACE: {
        const auto bytes =
            static_cast<__u32>(std::min<std::uint64_t>(flow_.preface_left, left_bytes_));
        exa_http2_take(&flow_, bytes);
        position_ += bytes;
        left_bytes_ -= bytes;
        break;
      }
      case EXA_HTTP2_HEADER:
        // One that ends behind the record is in the record that has its end.
        if (exa_http2_wanted(&flow_) <= left_bytes_) return take_header();
        position_ += left_bytes_;
        left_bytes_ = 0;
        break;
      case EXA_HTTP2_PAYLOAD:
        return take_payload();
    }
  }
  return kept_.empty() ? FrameStep::kOver : mismatch();
}

FrameStep FrameReader::take_header() {
  if (kept_.size() < EXA_HTTP2_HEADER_BYTES ||
      std::memcmp(kept_.data(), flow_.header, flow_.have) != 0)
    return mismatch();
  const auto begin = position_ - flow_.have;
  const auto bytes = exa_http2_wanted(&flow_);
  std::memcpy(flow_.header, kept_.data(), EXA_HTTP2_HEADER_BYTES);
  kept_.remove_prefix(EXA_HTTP2_HEADER_BYTES);
  const auto step = exa_http2_take(&flow_, bytes);
  if (step == EXA_HTTP2_OUT_OF_STEP) return mismatch();
  position_ += bytes;
  left_bytes_ -= bytes;
  frame_ = frame_of(flow_, begin);
  ends_next_ = step == EXA_HTTP2_FRAME_ENDED;
  return FrameStep::kBegun;
}

FrameStep FrameReader::take_payload() {
  const auto bytes = static_cast<__u32>(std::min<std::uint64_t>(flow_.left, left_bytes_));
  payload_offset_ = frame_.length - flow_.left;
  payload_bytes_ = bytes;
  payload_ = {};
  if (exa_http2_keeps(frame_.type)) {
    if (kept_.size() < bytes) return mismatch();
    payload_ = kept_.substr(0, bytes);
    kept_.remove_prefix(bytes);
  }
  ends_next_ = exa_http2_take(&flow_, bytes) == EXA_HTTP2_FRAME_ENDED;
  position_ += bytes;
  left_bytes_ -= bytes;
  return FrameStep::kPayload;
}

FrameStep FrameReader::mismatch() {
  mismatched_ = true;
  return FrameStep::kMismatch;
}

}  // namespace exa::http2
