#include "agent/capture/event_decoder.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstring>
#include <string>
#include <vector>

#include "exa/abi/event.h"
#include "tests/unit/capture/raw_events.h"

namespace exa {
namespace {

using testing::bytes_of;
using testing::error_of;
using testing::raw_chunk;
using testing::raw_event;

// Of a record that begins within a frame's header, which it has whole.
exa_frames_event raw_frames(std::string_view kept) {
  auto raw = raw_event<exa_frames_event>(EXA_EVENT_FRAMES, kept.size());
  const auto header = raw.chunk.header;
  raw.chunk = raw_chunk(kept);
  raw.chunk.header = header;
  raw.before = {
      .left = 0, .header = {0, 0, 4}, .have = 3, .preface_left = 0, .flags = EXA_HTTP2_IN_STEP};
  return raw;
}

TEST(EventDecoder, Chunk) {
  const auto record = bytes_of(raw_chunk("HTTP/1.1"), "HTTP/1.1");
  const auto event = decode_event(record);
  ASSERT_TRUE(event);
  const auto& chunk = std::get<ChunkEvent>(*event);
  EXPECT_EQ(chunk.socket, 77u);
  EXPECT_EQ(chunk.time.ns, 5'000u);
  EXPECT_EQ(chunk.tgid, 42u);
  EXPECT_EQ(chunk.direction, Direction::kEgress);
  EXPECT_EQ(chunk.position, 1'000u);
  EXPECT_EQ(chunk.length_bytes, 2'000u);
  EXPECT_EQ(chunk.previous_last_byte.ns, 4'000u);
  EXPECT_EQ(chunk.other.position, 300u);
  EXPECT_EQ(chunk.other.last_byte.ns, 4'500u);
  EXPECT_EQ(chunk.first_byte.ns, 4'900u);
  EXPECT_FALSE(chunk.arrival.known()) << "what is written does not arrive";
  EXPECT_EQ(chunk.tcp_sequence, 0xfffffff0u);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(chunk.bytes.data()), chunk.bytes.size()),
            "HTTP/1.1");
  EXPECT_EQ(chunk.bytes.data(), record.data() + sizeof(exa_chunk_event)) << "borrowed, not copied";
}

TEST(EventDecoder, PlaintextOfATlsLibrarySaysSo) {
  auto raw = raw_chunk("GET /");
  const auto plain = bytes_of(raw, "GET /");
  EXPECT_FALSE(std::get<ChunkEvent>(*decode_event(plain)).tls);
  raw.flags = EXA_CHUNK_TLS;
  const auto tls = bytes_of(raw, "GET /");
  EXPECT_TRUE(std::get<ChunkEvent>(*decode_event(tls)).tls);
}

TEST(EventDecoder, TheTimeOfWhatIsReadIsThatOfItsArrival) {
  auto raw = raw_chunk("GET /");
  raw.direction = EXA_INGRESS;
  const auto record = bytes_of(raw, "GET /");
  const auto chunk = std::get<ChunkEvent>(*decode_event(record));
  EXPECT_EQ(chunk.arrival.ns, 4'900u);
  EXPECT_FALSE(chunk.first_byte.known());
}

TEST(EventDecoder, LastBytesAndPortsAreFlags) {
  auto raw = raw_chunk("x");
  raw.flags = EXA_CHUNK_ENDS;
  EXPECT_TRUE(std::get<ChunkEvent>(*decode_event(bytes_of(raw, "x"))).ends_chunks);
  EXPECT_FALSE(std::get<ChunkEvent>(*decode_event(bytes_of(raw, "x"))).ports_proven);
  raw.flags = EXA_CHUNK_PORTS_PROVEN;
  EXPECT_TRUE(std::get<ChunkEvent>(*decode_event(bytes_of(raw, "x"))).ports_proven);
}

TEST(EventDecoder, FramesAreAChunkWithItsFlow) {
  const std::string kept(9 + 20, 'k');
  const auto record = bytes_of(raw_frames(kept), kept);
  const auto event = decode_event(record);
  ASSERT_TRUE(event);
  const auto& chunk = std::get<ChunkEvent>(*event);
  EXPECT_TRUE(chunk.framed());
  EXPECT_EQ(chunk.position, 1'000u);
  EXPECT_EQ(chunk.length_bytes, 2'000u);
  EXPECT_EQ(chunk.tcp_sequence, 0xfffffff0u);
  EXPECT_EQ(chunk.flow.data(), record.data() + offsetof(exa_frames_event, before)) << "borrowed";
  EXPECT_EQ(chunk.flow.size(), sizeof(exa_http2_flow));
  EXPECT_EQ(chunk.bytes.data(), record.data() + sizeof(exa_frames_event));
  EXPECT_EQ(chunk.bytes.size(), kept.size());

  const auto plain = bytes_of(raw_chunk("x"), "x");
  EXPECT_FALSE(std::get<ChunkEvent>(*decode_event(plain)).framed());
}

// As exa_table_enter puts it together.
std::vector<std::byte> raw_table(
    const std::vector<std::pair<std::string_view, std::string_view>>& fields) {
  std::string text;
  exa_table_event raw{};
  for (const auto& [name, value] : fields) {
    raw.entry[raw.entries++] = {static_cast<__u16>(name.size()), static_cast<__u16>(value.size())};
    text.append(name).append(value);
  }
  raw.text_bytes = static_cast<__u32>(text.size());
  raw.header.type = EXA_EVENT_TABLE;
  raw.header.tgid = 42;
  raw.header.ktime_ns = 5'000;
  raw.object = 0xc000100000;
  raw.goroutine = 0xc000200000;
  raw.encoder = 1;
  text.resize((text.size() + 7) & ~std::size_t{7});
  raw.header.size_bytes = static_cast<__u32>(sizeof raw + text.size());
  return bytes_of(raw, text);
}

TEST(EventDecoder, ATableHasItsEntries) {
  const auto record = raw_table({{":path", "/a"}, {"empty", ""}, {"", "nameless"}});
  const auto event = decode_event(record);
  ASSERT_TRUE(event);
  const auto& table = std::get<TableEvent>(*event);
  EXPECT_EQ(table.tgid, 42u);
  EXPECT_EQ(table.object, 0xc000100000u);
  EXPECT_EQ(table.goroutine, 0xc000200000u);
  EXPECT_TRUE(table.encoder);
  const auto entries = table.entries();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].name, ":path");
  EXPECT_EQ(entries[0].value, "/a");
  EXPECT_EQ(entries[1].name, "empty");
  EXPECT_EQ(entries[1].value, "");
  EXPECT_EQ(entries[2].value, "nameless");
}

TEST(EventDecoder, ATableWhoseLengthsAreWrongIsNone) {
  auto record = raw_table({{":path", "/a"}});
  exa_table_event raw;
  const auto changed = [&](auto change) {
    std::memcpy(&raw, record.data(), sizeof raw);
    change();
    auto copy = record;
    std::memcpy(copy.data(), &raw, sizeof raw);
    return error_of(copy);
  };
  EXPECT_EQ(changed([&] { raw.entries = EXA_TABLE_ENTRIES + 1; }), DecodeError::kBadLength);
  EXPECT_EQ(changed([&] { raw.entry[0].value_bytes = 3; }), DecodeError::kBadLength);
  EXPECT_EQ(changed([&] { raw.text_bytes = 4'000; }), DecodeError::kBadLength);
  EXPECT_EQ(changed([&] { raw.entries = 0; }), DecodeError::kBadLength);
}

TEST(EventDecoder, FramesMayBeginWithAHeadThatWasTold) {
  auto raw = raw_frames({});
  EXPECT_FALSE(std::get<ChunkEvent>(*decode_event(bytes_of(raw))).head_told);
  raw.chunk.flags = EXA_CHUNK_HEAD_TOLD;
  EXPECT_TRUE(std::get<ChunkEvent>(*decode_event(bytes_of(raw))).head_told);
}

TEST(EventDecoder, FramesHaveAllOfAHeaderThatBeganEarlier) {
  const std::string kept(9, 'k');
  auto raw = raw_frames(kept);
  raw.chunk.length_bytes = 1;
  EXPECT_TRUE(decode_event(bytes_of(raw, kept))) << "eight bytes of the header came before";
  const std::string more(10, 'k');
  raw = raw_frames(more);
  raw.chunk.length_bytes = 1;
  EXPECT_EQ(error_of(bytes_of(raw, more)), DecodeError::kBadLength);
}

TEST(EventDecoder, FramesMayHaveLeftEverythingOut) {
  const auto record = bytes_of(raw_frames({}));
  const auto event = decode_event(record);
  ASSERT_TRUE(event);
  EXPECT_TRUE(std::get<ChunkEvent>(*event).framed());
  EXPECT_TRUE(std::get<ChunkEvent>(*event).bytes.empty());
}

TEST(EventDecoder, PaddingIsNotPayload) {
  auto raw = raw_chunk("GET");
  raw.header.size_bytes += 5;
  const auto event = decode_event(bytes_of(raw, std::string_view("GET\0\0\0\0\0", 8)));
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<ChunkEvent>(*event).bytes.size(), 3u);
}

TEST(EventDecoder, Socket) {
  auto raw = raw_event<exa_socket_event>(EXA_EVENT_SOCKET);
  raw.family = AF_INET;
  const __u8 address[] = {192, 0, 2, 1};
  std::memcpy(raw.local_address, address, 4);
  raw.local_address[4] = 9;  // beyond an IPv4 address: not taken
  raw.local_port = 8080;
  raw.remote_port = 40'000;
  const auto event = decode_event(bytes_of(raw));
  ASSERT_TRUE(event);
  const auto& socket = std::get<SocketEvent>(*event);
  EXPECT_EQ(address_text(socket.local), "192.0.2.1");
  EXPECT_EQ(socket.local.address[4], 0);
  EXPECT_EQ(socket.local.port, 8080);
  EXPECT_EQ(socket.remote.port, 40'000);

  raw.family = AF_INET6;
  raw.remote_address[15] = 1;
  const auto six = decode_event(bytes_of(raw));
  ASSERT_TRUE(six);
  EXPECT_EQ(address_text(std::get<SocketEvent>(*six).remote), "::1");
}

TEST(EventDecoder, PositionAndEnd) {
  auto position = raw_event<exa_position_event>(EXA_EVENT_POSITION);
  position.direction[EXA_EGRESS] = {.position = 9, .last_byte_ns = 8};
  const auto moved = decode_event(bytes_of(position));
  ASSERT_TRUE(moved);
  EXPECT_EQ(std::get<PositionEvent>(*moved).direction[1].position, 9u);

  auto end = raw_event<exa_end_event>(EXA_EVENT_END);
  end.flags = EXA_END_EGRESS | EXA_END_FINAL | EXA_END_OPEN_EGRESS;
  end.socket_error = 104;
  const auto ended = decode_event(bytes_of(end));
  ASSERT_TRUE(ended);
  EXPECT_FALSE(std::get<EndEvent>(*ended).ingress_ended);
  EXPECT_TRUE(std::get<EndEvent>(*ended).egress_ended);
  EXPECT_TRUE(std::get<EndEvent>(*ended).final);
  EXPECT_EQ(std::get<EndEvent>(*ended).socket_error, 104);
  EXPECT_FALSE(std::get<EndEvent>(*ended).open[0]);
  EXPECT_TRUE(std::get<EndEvent>(*ended).open[1]);
}

TEST(EventDecoder, Processes) {
  auto process = raw_event<exa_process_event>(EXA_EVENT_PROCESS);
  process.start_time_ns = 123;
  process.cgroup_id = 5;
  process.header.flags = EXA_PROCESS_FORKED;
  process.parent_tgid = 1;
  process.uid = 33;
  std::memset(process.comm, 'x', sizeof process.comm);  // no NUL at its end
  std::memcpy(process.exe_name, "nginx", 5);
  const auto started = decode_event(bytes_of(process));
  ASSERT_TRUE(started);
  const auto& event = std::get<ProcessEvent>(*started);
  EXPECT_EQ(event.process, (ProcessIdentity{42, 123}));
  EXPECT_EQ(event.comm.view(), std::string(16, 'x'));
  EXPECT_EQ(event.exe_name.view(), "nginx");
  EXPECT_EQ(event.uid, 33u);
  EXPECT_TRUE(event.forked);

  const auto exit = decode_event(bytes_of(raw_event<exa_event_header>(EXA_EVENT_PROCESS_EXIT)));
  ASSERT_TRUE(exit);
  EXPECT_EQ(std::get<ProcessExitEvent>(*exit).tgid, 42u);
}

TEST(EventDecoder, RefusesEveryTruncation) {
  const std::vector<std::vector<std::byte>> records = {
      bytes_of(raw_chunk("GET /"), "GET /"),
      bytes_of(raw_frames("GET /"), "GET /"),
      bytes_of([] {
        auto raw = raw_event<exa_socket_event>(EXA_EVENT_SOCKET);
        raw.family = AF_INET;
        return raw;
      }()),
      bytes_of(raw_event<exa_position_event>(EXA_EVENT_POSITION)),
      bytes_of(raw_event<exa_end_event>(EXA_EVENT_END)),
      bytes_of(raw_event<exa_last_call_event>(EXA_EVENT_LAST_CALL)),
      bytes_of(raw_event<exa_look_event>(EXA_EVENT_LOOK)),
      bytes_of(raw_event<exa_answer_event>(EXA_EVENT_RESEND)),
      bytes_of(raw_event<exa_answer_event>(EXA_EVENT_DELIVERED)),
      bytes_of([] {
        auto raw = raw_event<exa_sleeps_event>(EXA_EVENT_SLEEPS);
        raw.thread = 42;
        return raw;
      }()),
      bytes_of(raw_event<exa_process_event>(EXA_EVENT_PROCESS)),
      bytes_of(raw_event<exa_event_header>(EXA_EVENT_PROCESS_EXIT)),
  };
  for (const auto& record : records) {
    ASSERT_TRUE(decode_event(record));
    for (std::size_t size = 0; size < record.size(); ++size) {
      // Cut by the reader, and honest about its size.
      std::vector<std::byte> cut(record.begin(),
                                 record.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(decode_event(cut)) << size;
      if (size < 4) continue;
      const auto honest = static_cast<__u32>(size);
      std::memcpy(cut.data(), &honest, 4);
      EXPECT_FALSE(decode_event(cut)) << size;
    }
  }
}

TEST(EventDecoder, RefusesLengthsThatCannotBe) {
  auto captured = raw_chunk("GET /");
  captured.captured_bytes = 6;
  EXPECT_EQ(error_of(bytes_of(captured, "GET /")), DecodeError::kBadLength);
  auto longer = raw_chunk("GET /");
  longer.length_bytes = 4;
  EXPECT_EQ(error_of(bytes_of(longer, "GET /")), DecodeError::kBadLength);
  auto empty = raw_chunk("");
  empty.length_bytes = 0;
  EXPECT_EQ(error_of(bytes_of(empty)), DecodeError::kBadLength);
  auto wrapped = raw_chunk("GET /");
  wrapped.position = UINT64_MAX - 10;
  EXPECT_EQ(error_of(bytes_of(wrapped, "GET /")), DecodeError::kBadLength);
  auto huge = raw_chunk(std::string(5'000, 'x'));
  huge.length_bytes = 5'000;
  EXPECT_EQ(error_of(bytes_of(huge, std::string(5'000, 'x'))), DecodeError::kBadLength);
}

TEST(EventDecoder, RefusesUnknownValues) {
  auto direction = raw_chunk("GET /");
  direction.direction = 2;
  EXPECT_EQ(error_of(bytes_of(direction, "GET /")), DecodeError::kBadField);
  EXPECT_EQ(error_of(bytes_of(raw_event<exa_socket_event>(EXA_EVENT_SOCKET))),
            DecodeError::kBadField);
  EXPECT_EQ(error_of(bytes_of(raw_event<exa_event_header>(99))), DecodeError::kUnknownType);
  EXPECT_EQ(error_of({}), DecodeError::kTruncated);
}

}  // namespace
}  // namespace exa
