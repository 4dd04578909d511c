#include "agent/protocol/http2/frames.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/support/http2_frames.h"

namespace exa::http2 {
namespace {

using http2_frames::frame;
using http2_frames::kPreface;
using http2_frames::Record;
using http2_frames::Walk;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// What a reader says of a direction, whatever the records: each frame once, with its kept payload.
struct Seen {
  int type = 0;
  int flags = 0;
  std::uint32_t stream = 0;
  std::uint32_t length = 0;
  std::uint64_t begin = 0;
  std::string payload;
  bool ended = false;
  bool operator==(const Seen&) const = default;
};

struct Reading {
  std::vector<Seen> frames;
  bool mismatch = false;
};

void read(const Record& record, Reading& reading) {
  // As large as it is, so that a sanitizer sees a read beyond it.
  const std::vector<char> kept(record.kept.begin(), record.kept.end());
  FrameReader reader(record.flow(), std::as_bytes(std::span(kept)), record.position,
                     record.length_bytes);
  while (true) {
    switch (reader.next()) {
      case FrameStep::kBegun: {
        const auto& frame = reader.frame();
        reading.frames.push_back(
            {frame.type, frame.flags, frame.stream, frame.length, frame.begin, {}, false});
        break;
      }
      case FrameStep::kPayload:
        if (!reader.payload().empty()) {
          EXPECT_EQ(reader.payload_offset(), reading.frames.back().payload.size());
          reading.frames.back().payload += reader.payload();
        }
        break;
      case FrameStep::kEnded:
        reading.frames.back().ended = true;
        EXPECT_EQ(reader.frame().begin, reading.frames.back().begin);
        break;
      case FrameStep::kOver:
        return;
      case FrameStep::kMismatch:
        reading.mismatch = true;
        return;
    }
  }
}

// The same from the bytes in a row.
std::vector<Seen> parse(std::string_view bytes) {
  std::vector<Seen> frames;
  std::uint64_t at = kPreface.size();
  while (at + 9 <= bytes.size()) {
    const auto* const header = reinterpret_cast<const __u8*>(bytes.data() + at);
    const auto length = exa_http2_length(header);
    Seen one{header[3], header[4], exa_http2_stream(header), length, at, {}, true};
    if (exa_http2_keeps(header[3])) one.payload = bytes.substr(at + 9, length);
    frames.push_back(one);
    at += 9 + length;
  }
  EXPECT_EQ(at, bytes.size());
  return frames;
}

// One of each kind, of all shapes.
std::string conversation() {
  std::string all(kPreface);
  all += frame(EXA_HTTP2_SETTINGS, 0, 0, std::string(18, 's'));
  all += frame(EXA_HTTP2_WINDOW_UPDATE, 0, 0, std::string(4, 'w'));
  all += frame(EXA_HTTP2_HEADERS, EXA_HTTP2_END_HEADERS, 1, std::string(37, 'h'));
  all += frame(EXA_HTTP2_DATA, 0, 1, std::string(200, 'd'));
  all +=
      frame(EXA_HTTP2_HEADERS, EXA_HTTP2_PADDED | EXA_HTTP2_PRIORITISED, 3, std::string(60, 'p'));
  all += frame(EXA_HTTP2_CONTINUATION, 0, 3, std::string(11, 'c'));
  all += frame(EXA_HTTP2_CONTINUATION, EXA_HTTP2_END_HEADERS, 3);
  all += frame(EXA_HTTP2_SETTINGS, EXA_HTTP2_ACK, 0);
  all += frame(EXA_HTTP2_PING, 0, 0, std::string(8, 'i'));
  all += frame(EXA_HTTP2_RST_STREAM, 0, 3, std::string(4, 'r'));
  all += frame(EXA_HTTP2_PUSH_PROMISE, EXA_HTTP2_END_HEADERS, 1, std::string(20, 'u'));
  all += frame(0x0a, 0xff, 7, std::string(13, 'x'));
  all += frame(EXA_HTTP2_DATA, EXA_HTTP2_END_STREAM, 1);
  all += frame(EXA_HTTP2_DATA, EXA_HTTP2_END_STREAM, 5, std::string(3, 'e'));
  all += frame(EXA_HTTP2_GOAWAY, 0, 0, std::string(12, 'g'));
  return all;
}

// Frames of which all calls made records.
void expect_same(const Reading& reading, const std::string& all) {
  EXPECT_FALSE(reading.mismatch);
  EXPECT_TRUE(reading.frames == parse(all)) << reading.frames.size();
}

// In calls of so many bytes, of segments of so many.
Reading walked(std::string_view bytes, std::size_t call_bytes, std::size_t segment_bytes) {
  Walk walk(true);
  Reading reading;
  while (!bytes.empty()) {
    auto call = bytes.substr(0, call_bytes);
    bytes.remove_prefix(call.size());
    std::vector<std::string_view> segments;
    while (!call.empty()) {
      segments.push_back(call.substr(0, segment_bytes));
      call.remove_prefix(segments.back().size());
    }
    for (const auto& record : walk.call(segments, true))
      read(record, reading);
  }
  return reading;
}

TEST(Frames, OfOneCall) {
  const auto all = conversation();
  expect_same(walked(all, SIZE_MAX, SIZE_MAX), all);
}

TEST(Frames, WhateverTheSegments) {
  const auto all = conversation();
  for (std::size_t bytes = 1; bytes <= 23; ++bytes)
    expect_same(walked(all, SIZE_MAX, bytes), all);
}

TEST(Frames, WhateverTheCalls) {
  const auto all = conversation();
  for (std::size_t call = 1; call <= 63; ++call)
    for (const std::size_t segment : {std::size_t{1}, std::size_t{5}, std::size_t{9}, all.size()})
      expect_same(walked(all, call, segment), all);
}

TEST(Frames, InEverySplitInTwo) {
  const auto all = conversation();
  for (std::size_t split = 1; split < all.size(); ++split) {
    Walk walk(true);
    Reading reading;
    for (const auto part :
         {std::string_view(all).substr(0, split), std::string_view(all).substr(split)})
      for (const auto& record : walk.call({part}, true))
        read(record, reading);
    expect_same(reading, all);
    Walk vector_walk(true);
    Reading of_vector;
    for (const auto& record : vector_walk.call(
             {std::string_view(all).substr(0, split), std::string_view(all).substr(split)}, true))
      read(record, of_vector);
    expect_same(of_vector, all);
  }
}

// What tells of messages is in the records that are written, and their order says when.
TEST(Frames, OfWhatIsWorthARecordNothingIsMissing) {
  const auto all = conversation();
  for (std::size_t call = 1; call <= 63; ++call) {
    Walk walk(true);
    std::vector<Seen> kept;
    std::vector<std::uint32_t> ended;
    for (std::string_view rest = all; !rest.empty();
         rest.remove_prefix(std::min(call, rest.size())))
      for (const auto& record : walk.call(rest.substr(0, call))) {
        FrameReader reader(record.flow(), std::as_bytes(std::span(record.kept)), record.position,
                           record.length_bytes);
        auto step = reader.next();
        for (; step != FrameStep::kOver && step != FrameStep::kMismatch; step = reader.next()) {
          const auto& frame = reader.frame();
          if (step == FrameStep::kEnded && frame.ends_stream()) ended.push_back(frame.stream);
          if (step == FrameStep::kEnded && exa_http2_keeps(frame.type))
            kept.push_back(
                {frame.type, frame.flags, frame.stream, frame.length, frame.begin, {}, true});
        }
        EXPECT_EQ(step, FrameStep::kOver);
      }
    auto expected = parse(all);
    std::erase_if(expected,
                  [](const auto& one) { return !exa_http2_keeps(static_cast<__u8>(one.type)); });
    for (auto& one : expected)
      one.payload.clear();
    EXPECT_EQ(kept, expected) << call;
    EXPECT_THAT(ended, ElementsAre(1, 5)) << call;
  }
}

TEST(Frames, OfManyRecordsOfOneCall) {
  std::string all(kPreface);
  all += frame(EXA_HTTP2_SETTINGS, 0, 0);
  all += frame(EXA_HTTP2_HEADERS, 0, 1, std::string(60'000, 'h'));
  for (std::uint32_t stream = 3; stream < 2'003; stream += 2)
    all += frame(EXA_HTTP2_DATA, EXA_HTTP2_END_STREAM, stream, "d");
  Walk walk(true);
  Reading reading;
  const auto records = walk.call(all);
  EXPECT_GT(records.size(), 15u);
  for (const auto& record : records) {
    EXPECT_LE(record.kept.size(), std::size_t{EXA_FRAME_KEPT_BYTES});
    read(record, reading);
  }
  expect_same(reading, all);
}

TEST(Frames, ARecordStandsForItself) {
  Walk walk(false);
  const auto head = frame(EXA_HTTP2_DATA, EXA_HTTP2_END_STREAM, 5, std::string(3'000, 'd'));
  EXPECT_THAT(walk.call(head.substr(0, 4)), IsEmpty());
  const auto begun = walk.call(head.substr(4, 1'000));
  ASSERT_THAT(begun, SizeIs(1));
  FrameReader first(begun[0].flow(), std::as_bytes(std::span(begun[0].kept)), begun[0].position,
                    begun[0].length_bytes);
  EXPECT_EQ(first.next(), FrameStep::kBegun);
  EXPECT_EQ(first.frame().begin, 0u) << "four bytes before the record";
  EXPECT_EQ(first.next(), FrameStep::kPayload);
  EXPECT_EQ(first.payload_bytes(), 995u);
  EXPECT_EQ(first.next(), FrameStep::kOver);
  EXPECT_TRUE(first.within_frame());

  EXPECT_THAT(walk.call(std::string(1'000, 'd')), IsEmpty()) << "in the middle";
  const auto ends = walk.unread_call(1'005);
  ASSERT_THAT(ends, SizeIs(1));
  FrameReader last(ends[0].flow(), {}, ends[0].position, ends[0].length_bytes);
  EXPECT_EQ(last.next(), FrameStep::kPayload);
  EXPECT_EQ(last.payload_offset(), 1'995u);
  EXPECT_EQ(last.frame().begin, 0u);
  EXPECT_EQ(last.frame().end(), 3'009u);
  EXPECT_EQ(last.next(), FrameStep::kEnded);
  EXPECT_TRUE(last.frame().ends_stream());
  EXPECT_EQ(last.next(), FrameStep::kOver);
}

TEST(Frames, SaysWhatWentByBefore) {
  Walk client(true);
  const auto first = client.call(std::string(kPreface) + frame(EXA_HTTP2_SETTINGS, 0, 0));
  ASSERT_THAT(first, SizeIs(1));
  const FrameReader reader(first[0].flow(), std::as_bytes(std::span(first[0].kept)), 0,
                           first[0].length_bytes);
  EXPECT_TRUE(reader.has_preface());
  EXPECT_FALSE(reader.missed());

  client.lose_record();
  EXPECT_THAT(client.call(frame(EXA_HTTP2_PING, 0, 0, "12345678")), IsEmpty());
  const auto next = client.call(frame(EXA_HTTP2_RST_STREAM, 0, 1, "1234"));
  ASSERT_THAT(next, SizeIs(1));
  EXPECT_TRUE(FrameReader(next[0].flow(), {}, 0, 13).missed()) << "still to be said";
  const auto later = client.call(frame(EXA_HTTP2_RST_STREAM, 0, 1, "1234"));
  EXPECT_FALSE(FrameReader(later.at(0).flow(), {}, 0, 13).missed()) << "said once";
}

// A header that no peer may send ends the record in front of it.
TEST(Frames, WithAHeaderThatIsNone) {
  for (std::size_t split = 0; split <= 9; ++split) {
    const auto ping = frame(EXA_HTTP2_PING, 0, 1, "12345678");
    const auto good = frame(EXA_HTTP2_RST_STREAM, 0, 1, "1234");
    Walk walk(false);
    const auto records = walk.call(
        {good, std::string_view(ping).substr(0, split), std::string_view(ping).substr(split)});
    ASSERT_THAT(records, SizeIs(1));
    EXPECT_FALSE(walk.in_step());
    Reading reading;
    read(records[0], reading);
    EXPECT_FALSE(reading.mismatch);
    EXPECT_THAT(reading.frames, SizeIs(1));
  }
}

FrameStep last_step(const Record& record) {
  FrameReader reader(record.flow(), std::as_bytes(std::span(record.kept)), record.position,
                     record.length_bytes);
  auto step = reader.next();
  while (step != FrameStep::kOver && step != FrameStep::kMismatch)
    step = reader.next();
  EXPECT_EQ(reader.next(), step) << "and stays there";
  return step;
}

TEST(Frames, RefusesWhatTheProgramsDoNotMake) {
  Walk walk(false);
  const auto rst = frame(EXA_HTTP2_RST_STREAM, 0, 1, "1234");
  const auto good = walk.call(rst).at(0);
  EXPECT_EQ(last_step(good), FrameStep::kOver);

  auto record = good;
  record.kept.pop_back();
  EXPECT_EQ(last_step(record), FrameStep::kMismatch) << "a payload that is not all there";
  record = good;
  record.kept += 'x';
  EXPECT_EQ(last_step(record), FrameStep::kMismatch) << "bytes of nothing";
  record = good;
  record.length_bytes -= 1;
  EXPECT_EQ(last_step(record), FrameStep::kMismatch);
  record = good;
  record.kept[8] = 0;
  EXPECT_EQ(last_step(record), FrameStep::kMismatch) << "stream 0 is never reset";
  record = good;
  record.kept.resize(4);
  EXPECT_EQ(last_step(record), FrameStep::kMismatch);

  const auto with_flow = [&](exa_http2_flow before) {
    auto one = good;
    one.before = before;
    return last_step(one);
  };
  const __u8 step = EXA_HTTP2_IN_STEP;
  EXPECT_EQ(with_flow({0, {}, 0, 0, 0}), FrameStep::kMismatch) << "out of step";
  EXPECT_EQ(with_flow({0, {}, 0, 0, 0x81}), FrameStep::kMismatch) << "flags of another version";
  EXPECT_EQ(with_flow({0, {}, 10, 0, step}), FrameStep::kMismatch);
  EXPECT_EQ(with_flow({0, {}, 255, 0, step}), FrameStep::kMismatch);
  EXPECT_EQ(with_flow({0, {}, 0, 25, step}), FrameStep::kMismatch);
  EXPECT_EQ(with_flow({0, {}, 1, 24, step}), FrameStep::kMismatch) << "a header in the preface";
  EXPECT_EQ(with_flow({1, {}, 0, 0, step}), FrameStep::kMismatch) << "a payload without a header";
  EXPECT_EQ(with_flow({0, {0, 0, 5, 0, 0, 0, 0, 0, 1}, 9, 0, step}), FrameStep::kMismatch);
  EXPECT_EQ(with_flow({6, {0, 0, 5, 0, 0, 0, 0, 0, 1}, 9, 0, step}), FrameStep::kMismatch)
      << "more to come than there was";
  EXPECT_EQ(with_flow({0, {1}, 1, 0, step}), FrameStep::kMismatch) << "another header began";
  auto short_flow = FrameReader(good.flow().first(15), {}, 0, 1);
  EXPECT_EQ(short_flow.next(), FrameStep::kMismatch);
}

}  // namespace
}  // namespace exa::http2
