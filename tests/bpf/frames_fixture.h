// A connection of HTTP/2 in capture, and the records of its frames.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/bpf/capture_fixture.h"
#include "tests/support/http2_frames.h"

namespace exa::test {

using http2_frames::frame;
using http2_frames::kPreface;

inline std::string settings() {
  return frame(EXA_HTTP2_SETTINGS, 0, 0, {});
}
inline std::string head(std::uint32_t stream, std::size_t bytes = 20) {
  return frame(EXA_HTTP2_HEADERS, EXA_HTTP2_END_HEADERS, stream, std::string(bytes, 'h'));
}
inline std::string data(std::uint32_t stream, std::size_t bytes, int flags = 0) {
  return frame(EXA_HTTP2_DATA, flags, stream, std::string(bytes, 'd'));
}

struct FramesRecord {
  exa_frames_event event;
  std::string kept;
};

class Frames : public Capture {
 protected:
  std::vector<FramesRecord> frames(std::uint64_t cookie, exa_direction direction) {
    drain();
    std::vector<FramesRecord> found;
    for (const auto& record : records_) {
      if (load<exa_event_header>(record).type != EXA_EVENT_FRAMES) continue;
      const auto event = load<exa_frames_event>(record);
      if (event.chunk.header.socket_id != cookie || event.chunk.direction != direction) continue;
      EXPECT_EQ(event.chunk.header.size_bytes, record.size());
      found.push_back({event, record.substr(sizeof(event), event.chunk.captured_bytes)});
    }
    return found;
  }
  // What the walk kept of a direction, whatever the records.
  std::string kept(std::uint64_t cookie, exa_direction direction) {
    std::string all;
    for (const auto& record : frames(cookie, direction))
      all += record.kept;
    return all;
  }
  // The client has made its connection.
  static void open(const Connection& connection) {
    send_all(connection.client.get(), std::string(kPreface) + settings());
    receive(connection.server.get(), kPreface.size() + settings().size());
  }
};

}  // namespace exa::test
