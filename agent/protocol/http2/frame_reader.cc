#include "agent/protocol/http2/frame_reader.h"

#include <algorithm>
#include <cstring>

namespace exa::http2 {

FrameReader::FrameReader(std::span<const std::byte> flow, std::string_view kept,
                         std::uint64_t length_bytes)
    : kept_(kept), left_(length_bytes) {
  if (flow.size() != sizeof flow_) return;
  std::memcpy(&flow_, flow.data(), sizeof flow_);
  const bool within_payload = flow_.have == EXA_HTTP2_HEADER_BYTES;
  valid_ = flow_.have <= EXA_HTTP2_HEADER_BYTES && within_payload == (flow_.left > 0) &&
           flow_.preface_left <= EXA_HTTP2_PREFACE_BYTES && flow_.left < 1U << 24 &&
           (flow_.preface_left == 0 || flow_.have == 0);
  missed_ = (flow_.flags & EXA_HTTP2_MISSED) != 0;
  preface_ = flow_.preface_left > 0;
}

FrameReader::Step FrameReader::next() {
  if (!valid_) return Step::kMismatch;
  if (ends_) {
    ends_ = false;
    return Step::kEnd;
  }
  while (left_ > 0) {
    const auto bytes =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(exa_http2_wanted(&flow_), left_));
    const auto part = exa_http2_part_of(&flow_);
    if (part == EXA_HTTP2_HEADER) {
      const auto step = header(bytes);
      if (step != Step::kDone) return step;
      continue;
    }
    const bool kept = part == EXA_HTTP2_PAYLOAD && exa_http2_keeps(type());
    if (kept && kept_.size() < bytes) break;
    left_ -= bytes;
    at_ += bytes;
    const bool ended = exa_http2_take(&flow_, bytes) == EXA_HTTP2_FRAME_ENDED;
    if (kept) {
      payload_ = kept_.substr(0, bytes);
      kept_.remove_prefix(bytes);
      ends_ = ended;
      return Step::kPayload;
    }
    if (ended) return Step::kEnd;
  }
  return left_ == 0 && kept_.empty() ? Step::kDone : Step::kMismatch;
}

// kDone: the record ends within it.
FrameReader::Step FrameReader::header(std::uint32_t bytes) {
  if (flow_.have == 0) began_at_ = at_;
  else if (at_ == 0) began_at_ = -std::int64_t{flow_.have};
  left_ -= bytes;
  at_ += bytes;
  if (flow_.have + bytes < EXA_HTTP2_HEADER_BYTES) {
    exa_http2_take(&flow_, bytes);
    return Step::kDone;
  }
  if (kept_.size() < EXA_HTTP2_HEADER_BYTES) {
    valid_ = false;
    return Step::kMismatch;
  }
  std::memcpy(flow_.header, kept_.data(), EXA_HTTP2_HEADER_BYTES);
  kept_.remove_prefix(EXA_HTTP2_HEADER_BYTES);
  const auto step = exa_http2_take(&flow_, bytes);
  if (step == EXA_HTTP2_OUT_OF_STEP) {
    valid_ = false;
    return Step::kMismatch;
  }
  ends_ = step == EXA_HTTP2_FRAME_ENDED;
  return Step::kHeader;
}

}  // namespace exa::http2
