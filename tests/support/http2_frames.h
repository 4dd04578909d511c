// Frames of HTTP/2 as text, and the records that the programs would write of them: made by their
// own walk (bpf/lib/frame_walk.h), with memory in the place of the process.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Addresses are those of this process.
#define EXA_FRAME_READ(to, bytes, address) \
  (std::memcpy(to, reinterpret_cast<const void*>(address), bytes), 0)
#include "bpf/lib/frame_walk.h"

namespace exa::http2_frames {

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// A client that speaks HTTP/1 asks for HTTP/2, and its server goes on in it: RFC 7540 section 3.2.
inline constexpr std::string_view kUpgradeRequest =
    "GET /first HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
inline constexpr std::string_view kUpgradeAnswer =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";

inline std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    text += static_cast<char>(value >> shift & 0xff);
  return text;
}

inline std::string frame(int type, int flags, std::uint32_t stream, std::string_view payload = {}) {
  return number(payload.size(), 3) + number(static_cast<std::uint64_t>(type), 1) +
         number(static_cast<std::uint64_t>(flags), 1) + number(stream, 4) + std::string(payload);
}

// A record, as the ring would hold it.
struct Record {
  exa_http2_flow before;
  std::uint64_t position = 0;
  std::uint32_t length_bytes = 0;
  std::string kept;

  [[nodiscard]] std::span<const std::byte> flow() const {
    return std::as_bytes(std::span(&before, 1));
  }
};

// One direction of a connection, walked along call by call.
class Walk {
 public:
  // The client's owes the preface.
  explicit Walk(bool preface) : flow_(exa_http2_start(preface)) {}

  // One call, of these segments: the records that it makes. Those that are worth nothing are left
  // out, unless all are asked for.
  std::vector<Record> call(const std::vector<std::string_view>& segments, bool all = false) {
    std::vector<exa_segment> vector;
    exa_frame_walk walk{};
    for (const auto segment : segments) {
      vector.push_back({reinterpret_cast<std::uintptr_t>(segment.data()), segment.size()});
      walk.call_left += static_cast<__u32>(segment.size());
    }
    const auto length = walk.call_left;
    walk.flow = flow_;
    walk.vector = reinterpret_cast<std::uintptr_t>(vector.data());
    walk.segments_left = static_cast<__u32>(vector.size());
    exa_frame_begin_record(&walk);
    std::vector<Record> records;
    auto position = position_;
    const auto write = [&] {
      records.push_back({walk.before, position, walk.record_bytes,
                         std::string(reinterpret_cast<const char*>(kept_.data()), walk.kept)});
      position += walk.record_bytes;
      exa_frame_begin_record(&walk);
    };
    while (true) {
      const auto progress = exa_frame_step(&walk, kept_.data());
      if (progress == EXA_FRAME_DONE) break;
      if (progress == EXA_FRAME_FULL) write();
    }
    if (walk.worth || (all && walk.record_bytes > 0)) {
      write();
    } else {
      walk.flow.flags |= walk.before.flags & EXA_HTTP2_MISSED;
    }
    flow_ = walk.flow;
    position_ += length;
    return records;
  }
  std::vector<Record> call(std::string_view bytes) { return call(std::vector{bytes}); }

  // A call whose bytes are out of reach, as sendfile's.
  std::vector<Record> unread_call(std::uint32_t bytes) {
    auto before = flow_;
    const bool ends = exa_http2_pass(&flow_, bytes) != 0;
    const auto position = position_;
    position_ += bytes;
    if (!ends) return {};
    flow_.flags &= static_cast<__u8>(~EXA_HTTP2_MISSED);
    return {{before, position, bytes, {}}};
  }
  // Of frames whose record the ring had no room for.
  void lose_record() { flow_.flags |= EXA_HTTP2_MISSED; }
  // The connection is older: frames went by before.
  void join() {
    flow_ = {.left = 0,
             .header = {},
             .have = 0,
             .preface_left = 0,
             .flags = EXA_HTTP2_IN_STEP | EXA_HTTP2_MISSED};
  }

  // What nobody walked along.
  void move(std::uint64_t bytes) { position_ += bytes; }
  // The next call begins with so many bytes of another protocol, and frames follow.
  void start_behind(std::uint32_t bytes) { flow_ = exa_http2_start_behind(bytes); }

  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] bool in_step() const { return (flow_.flags & EXA_HTTP2_IN_STEP) != 0; }

 private:
  exa_http2_flow flow_;
  std::uint64_t position_ = 0;
  std::vector<__u8> kept_ = std::vector<__u8>(2 * std::size_t{EXA_FRAME_KEPT_BYTES});
};

}  // namespace exa::http2_frames
