// One socket that speaks HTTP/2, as the kernel would tell of it: calls move bytes, and what becomes
// a record is the kernel's own walk's to say.
#pragma once

#include <array>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/connection/tracker.h"
#include "exa/abi/event.h"

// The process is this one.
#define EXA_FRAME_READ(to, bytes, address) \
  (std::memcpy(to, reinterpret_cast<const void*>(address), bytes), 0)
#include "bpf/lib/frame_walk.h"

namespace exa::testing {

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::string frame(exa_http2_type type, int flags, std::uint32_t stream, std::string_view payload);
inline std::string settings() {
  return frame(EXA_HTTP2_SETTINGS, 0, 0, {});
}
inline std::string data(std::uint32_t stream, std::string_view bytes, bool ends) {
  return frame(EXA_HTTP2_DATA, ends ? EXA_HTTP2_END_STREAM : 0, stream, bytes);
}
// A field of a block: a literal that enters no table (RFC 7541 section 6.2.2), or one that does.
std::string field(std::string_view name, std::string_view value, bool indexed = false);
std::string head(std::uint32_t stream, std::string_view block, bool ends, int more_flags = 0);
std::string reset(std::uint32_t stream, std::uint32_t code);

class FramesWire {
 public:
  FramesWire(ConnectionTracker& tracker, SocketId socket = 7) : tracker_(tracker), id_(socket) {
    for (auto& flow : flows_)
      flow.flags = EXA_HTTP2_IN_STEP;
  }
  // The kernel found the place of a connection that is older.
  void joins() {
    for (auto& flow : flows_)
      flow = {.left = 0,
              .header = {},
              .have = 0,
              .preface_left = 0,
              .flags = EXA_HTTP2_IN_STEP | EXA_HTTP2_MISSED};
  }
  // Who speaks first owes the preface.
  void client_opens(Direction client) {
    flow(client).preface_left = EXA_HTTP2_PREFACE_BYTES;
    moves(client, std::string(kPreface) + settings());
  }
  void reads(std::string_view bytes) { moves(Direction::kIngress, bytes); }
  void writes(std::string_view bytes) { moves(Direction::kEgress, bytes); }
  // One call of bytes in segments of at most so many.
  void moves(Direction direction, std::string_view bytes, std::size_t segment_bytes = SIZE_MAX);
  // Nothing of them is in reach.
  void passes(Direction direction, std::size_t bytes);
  // Records of that direction are lost, as the kernel says in the next one.
  void misses(Direction direction) { flow(direction).flags |= EXA_HTTP2_MISSED; }
  void ends(std::uint16_t error = 0, bool by_peer = false);

  [[nodiscard]] MonotonicTime now() const { return now_; }
  MonotonicTime tick(std::uint64_t milliseconds = 1) {
    return now_ = {now_.ns + milliseconds * 1'000'000};
  }
  [[nodiscard]] std::size_t records() const { return records_; }

 private:
  exa_http2_flow& flow(Direction d) { return flows_[static_cast<std::size_t>(d)]; }
  void emit(Direction direction, exa_frame_walk& walk, std::string_view kept);

  ConnectionTracker& tracker_;
  SocketId id_;
  std::array<exa_http2_flow, 2> flows_{};
  std::array<DirectionState, 2> state_{};
  std::uint64_t position_ = 0;
  MonotonicTime previous_;
  MonotonicTime now_{1'000'000'000};
  std::size_t records_ = 0;
};

}  // namespace exa::testing
