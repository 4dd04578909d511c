// HTTP/2 frame by frame. Once with records as a hostile kernel side might write them, and once with
// the kernel's own walk over any bytes, in calls and segments of any size: what it makes of them
// the reader reads to its end, and finds the frames of the bytes in a row.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

#include "agent/protocol/http2/frames.h"
#include "tests/support/http2_frames.h"

namespace {

using exa::http2::FrameReader;
using exa::http2::FrameStep;

void expect(bool holds) {
  if (!holds) std::abort();
}

void read_any(std::string_view input) {
  if (input.size() < sizeof(exa_http2_flow) + 12) return;
  std::uint64_t position;
  std::uint32_t length;
  std::memcpy(&position, input.data(), 8);
  std::memcpy(&length, input.data() + 8, 4);
  input.remove_prefix(12);
  const std::vector<char> flow(input.begin(), input.begin() + sizeof(exa_http2_flow));
  input.remove_prefix(flow.size());
  const std::vector<char> kept(input.begin(), input.end());
  FrameReader reader(std::as_bytes(std::span(flow)), std::as_bytes(std::span(kept)), position,
                     length);
  std::size_t steps = 0;
  std::size_t payload = 0;
  for (auto step = reader.next(); step != FrameStep::kOver; step = reader.next()) {
    if (step == FrameStep::kMismatch) return;
    if (step == FrameStep::kPayload) {
      expect(reader.payload_offset() + reader.payload_bytes() <= reader.frame().length);
      payload += reader.payload().size();
    }
    ++steps;
  }
  expect(payload <= kept.size() && steps <= 3 * kept.size() + 2);
}

// The first bytes say how the rest is cut.
void walk(std::string_view input) {
  if (input.size() < 2) return;
  const auto call_bytes = 1 + std::size_t{static_cast<unsigned char>(input[0])} * 4;
  const auto segment_bytes = 1 + std::size_t{static_cast<unsigned char>(input[1])};
  input.remove_prefix(2);
  exa::http2_frames::Walk walk(false);
  std::uint64_t next = 0;  // where the next frame begins
  for (auto rest = input; !rest.empty() && walk.in_step();) {
    const auto call = rest.substr(0, call_bytes);
    rest.remove_prefix(call.size());
    std::vector<std::string_view> segments;
    for (auto left = call; !left.empty(); left.remove_prefix(segments.back().size()))
      segments.push_back(left.substr(0, segment_bytes));
    for (const auto& record : walk.call(segments, true)) {
      FrameReader reader(record.flow(), std::as_bytes(std::span(record.kept)), record.position,
                         record.length_bytes);
      for (auto step = reader.next(); step != FrameStep::kOver; step = reader.next()) {
        expect(step != FrameStep::kMismatch);
        if (step != FrameStep::kBegun) continue;
        const auto& frame = reader.frame();
        expect(frame.begin == next && next + 9 <= input.size());
        const auto* const header = reinterpret_cast<const __u8*>(input.data() + next);
        expect(frame.type == header[3] && frame.flags == header[4]);
        expect(frame.stream == exa_http2_stream(header));
        expect(frame.length == exa_http2_length(header));
        next = frame.end();
      }
    }
  }
  expect(!walk.in_step() || next + 9 > input.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  read_any(input);
  walk(input);
  return 0;
}
