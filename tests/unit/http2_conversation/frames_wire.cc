#include "tests/unit/http2_conversation/frames_wire.h"

namespace exa::testing {

std::string frame(exa_http2_type type, int flags, std::uint32_t stream, std::string_view payload) {
  const auto size = static_cast<std::uint32_t>(payload.size());
  std::string made;
  for (const auto byte :
       {size >> 16, size >> 8, size, std::uint32_t{type}, static_cast<std::uint32_t>(flags),
        stream >> 24, stream >> 16, stream >> 8, stream})
    made += static_cast<char>(byte & 0xff);
  return made + std::string(payload);
}

std::string field(std::string_view name, std::string_view value, bool indexed) {
  const auto text = [](std::string_view string) {
    std::string made;
    auto size = string.size();
    if (size < 127) {
      made += static_cast<char>(size);
    } else {
      made += '\x7f';
      for (size -= 127; size >= 128; size /= 128)
        made += static_cast<char>(size % 128 + 128);
      made += static_cast<char>(size);
    }
    return made + std::string(string);
  };
  return std::string(1, indexed ? '\x40' : '\0') + text(name) + text(value);
}

std::string head(std::uint32_t stream, std::string_view block, bool ends, int more_flags) {
  return frame(EXA_HTTP2_HEADERS,
               EXA_HTTP2_END_HEADERS | (ends ? EXA_HTTP2_END_STREAM : 0) | more_flags, stream,
               block);
}

std::string reset(std::uint32_t stream, std::uint32_t code) {
  std::string payload;
  for (int shift = 24; shift >= 0; shift -= 8)
    payload += static_cast<char>(code >> shift & 0xff);
  return frame(EXA_HTTP2_RST_STREAM, 0, stream, payload);
}

void FramesWire::emit(Direction direction, exa_frame_walk& walk, std::string_view kept) {
  auto& state = state_[static_cast<std::size_t>(direction)];
  // Exactly as large as what was kept, so that a sanitizer sees a read beyond it.
  const std::vector<char> copy(kept.begin(), kept.end());
  const std::vector<exa_http2_flow> before{walk.before};
  tracker_.on_event(ChunkEvent{
      .socket = id_,
      .time = now_,
      .tgid = 42,
      .direction = direction,
      .position = position_,
      .length_bytes = walk.record_bytes,
      .bytes = std::as_bytes(std::span(copy)),
      .previous_last_byte = previous_,
      .other = state_[1 - static_cast<std::size_t>(direction)],
      .arrival = position_ == state.position ? MonotonicTime{now_.ns - 300'000} : MonotonicTime{},
      .tcp_sequence = 1'000 + static_cast<std::uint32_t>(position_),
      .flow = std::as_bytes(std::span(before))});
  ++records_;
  position_ += walk.record_bytes;
  previous_ = now_;
  exa_frame_begin_record(&walk);
}

void FramesWire::moves(Direction direction, std::string_view bytes, std::size_t segment_bytes) {
  tick();
  auto& state = state_[static_cast<std::size_t>(direction)];
  std::vector<exa_frame_segment> segments;
  for (auto rest = bytes; !rest.empty();) {
    const auto size = std::min(segment_bytes, rest.size());
    segments.push_back({reinterpret_cast<std::uint64_t>(rest.data()), size});
    rest.remove_prefix(size);
  }
  std::vector<std::uint8_t> kept(2 * EXA_FRAME_KEPT_BYTES);
  exa_frame_walk walk{};
  walk.flow = flow(direction);
  exa_frame_begin_record(&walk);
  walk.vector = reinterpret_cast<std::uint64_t>(segments.data());
  walk.segments_left = static_cast<std::uint32_t>(segments.size());
  walk.call_left = static_cast<std::uint32_t>(bytes.size());
  position_ = state.position;
  previous_ = state.last_byte;
  const auto text = [&] {
    return std::string_view(reinterpret_cast<const char*>(kept.data()), walk.kept);
  };
  for (auto progress = EXA_FRAME_ON; progress != EXA_FRAME_DONE;) {
    progress = exa_frame_step(&walk, kept.data());
    if (progress == EXA_FRAME_FULL) emit(direction, walk, text());
  }
  if (walk.worth)
    emit(direction, walk, text());
  else
    walk.flow.flags |= walk.before.flags & EXA_HTTP2_MISSED;
  flow(direction) = walk.flow;
  state = {state.position + bytes.size(), now_};
}

void FramesWire::passes(Direction direction, std::size_t bytes) {
  tick();
  auto& state = state_[static_cast<std::size_t>(direction)];
  exa_frame_walk walk{};
  walk.flow = flow(direction);
  exa_frame_begin_record(&walk);
  position_ = state.position;
  previous_ = state.last_byte;
  const bool ended = exa_http2_pass(&walk.flow, bytes) != 0;
  walk.record_bytes = static_cast<std::uint32_t>(bytes);
  if (ended) emit(direction, walk, {});
  flow(direction) = walk.flow;
  state = {state.position + bytes, now_};
}

void FramesWire::ends(std::uint16_t error, bool by_peer) {
  if (by_peer)
    tracker_.on_event(EndEvent{.socket = id_,
                               .time = tick(),
                               .direction = state_,
                               .ingress_ended = true,
                               .egress_ended = false,
                               .final = false,
                               .socket_error = 0});
  tracker_.on_event(EndEvent{.socket = id_,
                             .time = tick(),
                             .direction = state_,
                             .ingress_ended = false,
                             .egress_ended = true,
                             .final = true,
                             .socket_error = error});
}

}  // namespace exa::testing
