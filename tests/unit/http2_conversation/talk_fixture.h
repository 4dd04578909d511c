// A tracker and one HTTP/2 connection whose records are made by the kernel's own walk; after each
// test every chunk must be accounted for, and nothing may be left open.
#pragma once

#include <gmock/gmock.h>

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/connection/tracker.h"
#include "agent/conversation/registry.h"
#include "agent/telemetry/counters.h"
#include "tests/support/http2_frames.h"

namespace exa::testing {

using http2_frames::frame;
using http2_frames::kPreface;
using http2_frames::Record;
using http2_frames::Walk;

class CollectingSink : public ExchangeSink {
 public:
  void on_exchange(const Exchange& exchange) override {
    exchanges.push_back(exchange);
    ++total;
  }
  std::vector<Exchange> exchanges;  // a test may have looked at some, and forgotten them
  std::uint64_t total = 0;
};

constexpr MonotonicTime ms(std::uint64_t milliseconds) {
  return {milliseconds * 1'000'000};
}

// Literals without indexing, RFC 7541 section 6.2.2; of at most 16,510 bytes.
inline std::string hpack_string(std::string_view text) {
  std::string made;
  if (text.size() < 127) {
    made += static_cast<char>(text.size());
  } else {
    made += '\x7f';
    auto rest = text.size() - 127;
    for (; rest >= 128; rest >>= 7)
      made += static_cast<char>((rest & 127) | 128);
    made += static_cast<char>(rest);
  }
  return made + std::string(text);
}
inline std::string field(std::string_view name, std::string_view value) {
  return std::string(1, '\0') + hpack_string(name) + hpack_string(value);
}
// The same, added to the table: section 6.2.1.
inline std::string indexing(std::string_view name, std::string_view value) {
  return "\x40" + hpack_string(name) + hpack_string(value);
}
inline std::string indexed(int index) {
  return {static_cast<char>(0x80 | index)};
}

inline std::string get_block(std::string_view path) {
  return field(":method", "GET") + field(":scheme", "http") + field(":path", path) +
         field(":authority", "shop.example");
}
inline std::string post_block(std::string_view path) {
  return field(":method", "POST") + field(":scheme", "http") + field(":path", path) +
         field(":authority", "shop.example");
}
inline std::string status_block(std::string_view status) {
  return field(":status", status);
}

constexpr int kEndStream = EXA_HTTP2_END_STREAM;
constexpr int kEndHeaders = EXA_HTTP2_END_HEADERS;

inline std::string headers(std::uint32_t stream, std::string_view block, int flags = 0) {
  return frame(EXA_HTTP2_HEADERS, kEndHeaders | flags, stream, block);
}
inline std::string data(std::uint32_t stream, std::size_t bytes, int flags = 0) {
  return frame(EXA_HTTP2_DATA, flags, stream, std::string(bytes, 'd'));
}
inline std::string reset(std::uint32_t stream, std::uint32_t code) {
  return frame(EXA_HTTP2_RST_STREAM, 0, stream, http2_frames::number(code, 4));
}
inline std::string go_away(std::uint32_t last) {
  return frame(EXA_HTTP2_GOAWAY, 0, 0,
               http2_frames::number(last, 4) + std::string(4, '\0') + "bye");
}
inline std::string settings(std::string_view entries = {}, int flags = 0) {
  return frame(EXA_HTTP2_SETTINGS, flags, 0, entries);
}

// One socket as the kernel would tell of it. Each call is one I/O call, one millisecond after the
// one before.
class TalkWire {
 public:
  TalkWire(ConnectionTracker& tracker, bool server, SocketId socket = 7)
      : tracker_(tracker), server_(server), id_(socket) {}

  void client(std::string_view bytes) { call(server_ ? kIngress : kEgress, {bytes}); }
  void server(std::string_view bytes) { call(server_ ? kEgress : kIngress, {bytes}); }
  void client(const std::vector<std::string_view>& segments) {
    call(server_ ? kIngress : kEgress, segments);
  }
  // As sendfile does: nobody sees the bytes.
  void server_sends_file(std::uint32_t bytes) {
    const auto d = server_ ? kEgress : kIngress;
    const auto records = walks_[d].unread_call(bytes);
    tell(d, records, walks_[d].position());
  }
  // In calls of so many bytes.
  void client_in_pieces(std::string_view bytes, std::size_t piece) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
      client(bytes.substr(0, piece));
  }
  void server_in_pieces(std::string_view bytes, std::size_t piece) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
      server(bytes.substr(0, piece));
  }
  void begins() {
    client(std::string(kPreface) + settings());
    server(settings());
  }
  // The ring had no room for this.
  void lost_of_client(std::string_view bytes) { lose(server_ ? kIngress : kEgress, bytes); }
  void lost_of_server(std::string_view bytes) { lose(server_ ? kEgress : kIngress, bytes); }
  // The connection was there before the agent.
  void joins() {
    walks_[0].join();
    walks_[1].join();
  }

  void socket(std::uint32_t sequence = 0) {
    IpEndpoint local{.address = {127, 0, 0, 1}, .port = 8080};
    IpEndpoint remote{.address = {10, 0, 0, 9}, .port = 40'000};
    tracker_.on_event(SocketEvent{.socket = id_,
                                  .time = tick(),
                                  .tgid = 42,
                                  .local = local,
                                  .remote = remote,
                                  .first_sequence = sequence});
  }
  struct Ended {
    bool ingress = false;
    bool egress = false;
    bool final = false;
    std::uint16_t error = 0;
    std::array<bool, 2> missed{};  // by Direction
  };
  void end(Ended ended) {
    tracker_.on_event(EndEvent{.socket = id_,
                               .time = tick(),
                               .direction = state_,
                               .ingress_ended = ended.ingress,
                               .egress_ended = ended.egress,
                               .final = ended.final,
                               .socket_error = ended.error,
                               .missed = ended.missed});
  }
  void is_over(std::uint16_t error = 0) { end({.final = true, .error = error}); }
  void position() {
    tracker_.on_event(PositionEvent{.socket = id_, .time = tick(), .direction = state_});
  }
  // Not framed.
  void plain_client(std::string_view bytes) { plain(server_ ? kIngress : kEgress, bytes); }
  void plain_server(std::string_view bytes) { plain(server_ ? kEgress : kIngress, bytes); }
  // A call that begins with the head of a 101 and goes on in frames.
  void server_switches(std::string_view head, std::string_view frames) {
    const auto d = server_ ? kEgress : kIngress;
    tell_plain(d, head);
    const std::string bytes = std::string(head) + std::string(frames);
    walks_[d].start_behind(static_cast<std::uint32_t>(head.size()));
    head_told_ = true;
    call(d, {bytes});
    head_told_ = false;
  }
  void tell_one(std::size_t d, const Record& record) {
    const std::vector<char> kept(record.kept.begin(), record.kept.end());
    tracker_.on_event(ChunkEvent{
        .socket = id_,
        .time = now_,
        .tgid = 42,
        .direction = static_cast<Direction>(d),
        .position = record.position,
        .length_bytes = record.length_bytes,
        .bytes = std::as_bytes(std::span(kept)),
        .previous_last_byte = state_[d].last_byte,
        .other = state_[1 - d],
        .arrival = d == 0 && tells_arrival ? MonotonicTime{now_.ns - 300'000} : MonotonicTime{},
        .tcp_sequence = first_sequence == 0 ? 0
                                            : first_sequence + static_cast<std::uint32_t>(
                                                                   before_us[d] + record.position),
        .tls = tls,
        .flow = record.flow(),
        .goroutine = goroutines[d],
        .head_told = head_told_});
  }

  MonotonicTime tick(std::uint64_t by = 1) { return now_ = {now_.ns + by * 1'000'000}; }
  [[nodiscard]] MonotonicTime now() const { return now_; }
  [[nodiscard]] std::array<std::uint64_t, 2> positions() const {
    return {state_[0].position, state_[1].position};
  }
  [[nodiscard]] std::uint64_t client_position() const { return state_[server_ ? 0 : 1].position; }
  Walk& walk(std::size_t d) { return walks_[d]; }

  std::uint32_t first_sequence = 1'000;
  std::array<std::uint64_t, 2> before_us{};   // bytes that went by before the agent came
  std::array<std::uint64_t, 2> goroutines{};  // by Direction: who moves the bytes
  bool tells_arrival = true;
  bool tls = false;

 private:
  static constexpr std::size_t kIngress = 0;
  static constexpr std::size_t kEgress = 1;

  void tell_plain(std::size_t d, std::string_view bytes) {
    tracker_.on_event(ChunkEvent{.socket = id_,
                                 .time = tick(),
                                 .tgid = 42,
                                 .direction = static_cast<Direction>(d),
                                 .position = state_[d].position,
                                 .length_bytes = static_cast<std::uint32_t>(bytes.size()),
                                 .bytes = std::as_bytes(std::span(bytes)),
                                 .previous_last_byte = state_[d].last_byte,
                                 .other = state_[1 - d],
                                 .arrival = {},
                                 .tcp_sequence = 1});
  }
  void plain(std::size_t d, std::string_view bytes) {
    tell_plain(d, bytes);
    walks_[d].move(bytes.size());
    state_[d] = {walks_[d].position(), now_};
  }
  void call(std::size_t d, const std::vector<std::string_view>& segments) {
    const auto records = walks_[d].call(segments);
    tell(d, records, walks_[d].position());
  }
  void tell(std::size_t d, const std::vector<Record>& records, std::uint64_t position) {
    tick();
    for (const auto& record : records) {
      tell_one(d, record);
      state_[d].last_byte = now_;
    }
    state_[d] = {position, now_};
  }
  void lose(std::size_t d, std::string_view bytes) {
    (void)walks_[d].call(bytes);
    walks_[d].lose_record();
    state_[d] = {walks_[d].position(), tick()};
  }

  ConnectionTracker& tracker_;
  bool server_;
  SocketId id_;
  // By Direction: who reads the preface is the server.
  std::array<Walk, 2> walks_{Walk(server_), Walk(!server_)};
  std::array<DirectionState, 2> state_{};
  MonotonicTime now_ = ms(1'000);
  bool head_told_ = false;
};

class Http2Talk : public ::testing::Test {
 protected:
  Exchange only() const {
    EXPECT_THAT(sink.exchanges, ::testing::SizeIs(1));
    return sink.exchanges.empty() ? Exchange{} : sink.exchanges.front();
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> all;
    for (const auto& exchange : sink.exchanges)
      all.emplace_back(exchange.operation.name.view());
    return all;
  }
  std::vector<Outcome> outcomes() const {
    std::vector<Outcome> all;
    for (const auto& exchange : sink.exchanges)
      all.push_back(exchange.outcome);
    return all;
  }
  std::uint64_t count(Counter counter) const { return counters.get(counter); }
  std::uint64_t count(ProtocolCounter counter) const { return counters.get(counter); }

  void TearDown() override {
    EXPECT_EQ(count(Counter::kChunksConsumed),
              count(Counter::kChunksBelonging) + count(Counter::kChunksNotProtocol) +
                  count(Counter::kChunksParseError) + count(Counter::kChunksOrphan));
    EXPECT_EQ(count(Counter::kExchanges), sink.total);
    wire.is_over();
    client_wire.is_over();
    EXPECT_EQ(tracker.open_exchanges().size(), 0u);
    EXPECT_EQ(tracker.size(), 0u);
  }

  CollectingSink sink;
  Counters counters;
  ConnectionTracker tracker{sink, counters, protocols()};
  TalkWire wire{tracker, true};             // at the server
  TalkWire client_wire{tracker, false, 8};  // at the client
};

}  // namespace exa::testing
