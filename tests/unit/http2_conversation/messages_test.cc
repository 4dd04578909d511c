// Requests and answers, whatever the frames they come in.
#include <string>

#include "agent/semantics/semantics.h"
#include "tests/unit/http2_conversation/talk_fixture.h"

namespace exa::testing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

class Http2Messages : public Http2Talk {};

TEST_F(Http2Messages, OneRequestAtTheServer) {
  wire.socket();
  wire.begins();
  const auto begin = wire.client_position();
  wire.client(headers(1, get_block("/cart?id=1") + field("traceparent", kParent), kEndStream));
  const auto read = wire.now();
  wire.server(headers(1, status_block("200")));
  const auto answered = wire.now();
  wire.server(data(1, 100) + data(1, 20, kEndStream));
  const auto exchange = only();
  EXPECT_EQ(exchange.role, Role::kServer);
  EXPECT_EQ(exchange.protocol_version, ProtocolVersion::k2);
  EXPECT_EQ(exchange.operation.method, Method::kGet);
  EXPECT_EQ(exchange.operation.name.view(), "/cart");
  EXPECT_EQ(exchange.host.view(), "shop.example");
  EXPECT_EQ(exchange.operation.status, 200);
  EXPECT_EQ(exchange.outcome, Outcome::kComplete);
  EXPECT_EQ(exchange.read, read);
  EXPECT_EQ(exchange.arrival.ns, read.ns - 300'000);
  EXPECT_EQ(exchange.first_response, answered);
  EXPECT_EQ(exchange.last_response, wire.now());
  EXPECT_EQ(exchange.request_body_bytes, 0u);
  EXPECT_EQ(exchange.response_body_bytes, 120u);
  EXPECT_TRUE(exchange.has_context);
  EXPECT_EQ(exchange.local.port, 8080);
  EXPECT_EQ(exchange.request_sequence, 1'000 + begin);
  EXPECT_EQ(count(Counter::kChunksBelonging), count(Counter::kChunksConsumed));
}

TEST_F(Http2Messages, ReadsTheContextsOfThePropagatorsItIsGiven) {
  CollectingSink others;
  Counters their_counters;
  ConnectionTracker asked(others, their_counters, protocols(),
                          {.propagators = {Propagator::kDatadog}});
  TalkWire other(asked, true);
  other.socket();
  other.begins();
  other.client(headers(1,
                       get_block("/") + field("traceparent", kParent) +
                           field("x-datadog-trace-id", "1") + field("x-datadog-parent-id", "2") +
                           field("x-datadog-sampling-priority", "2") +
                           field("x-datadog-tags", "_dd.p.tid=640cfd8d00000000"),
                       kEndStream));
  other.server(headers(1, status_block("200"), kEndStream));
  ASSERT_EQ(others.exchanges.size(), 1u);
  const auto& exchange = others.exchanges.front();
  EXPECT_TRUE(exchange.has_context);
  EXPECT_EQ(to_hex(exchange.trace_id), "640cfd8d000000000000000000000001");
  EXPECT_EQ(to_hex(exchange.parent_span_id), "0000000000000002");
  EXPECT_EQ(exchange.trace_flags, kTraceSampled);
  EXPECT_EQ(their_counters.get(Counter::kContextAccepted), 1u);
}

TEST_F(Http2Messages, OneRequestAtTheClient) {
  client_wire.begins();
  const auto begin = client_wire.client_position();
  client_wire.client(headers(1, post_block("/order")) + data(1, 7, kEndStream));
  const auto written = client_wire.now();
  client_wire.server(headers(1, status_block("404"), kEndStream));
  const auto exchange = only();
  EXPECT_EQ(exchange.role, Role::kClient);
  EXPECT_EQ(exchange.operation.method, Method::kPost);
  EXPECT_EQ(exchange.operation.status, 404);
  EXPECT_EQ(exchange.read, written);
  EXPECT_FALSE(exchange.arrival.known());
  EXPECT_EQ(exchange.request_body_bytes, 7u);
  EXPECT_EQ(exchange.response_body_bytes, 0u);
  EXPECT_EQ(exchange.request_sequence, 1'000 + begin) << "the same at both ends";
}

TEST_F(Http2Messages, BothEndsAgreeHoweverTheBytesAreCut) {
  const auto asked = std::string(kPreface) + settings() + headers(1, get_block("/a"), kEndStream) +
                     data(9, 30) + headers(3, get_block("/b"), kEndStream);
  for (std::size_t piece = 1; piece < 40; ++piece) {
    sink.exchanges.clear();
    TalkWire server(tracker, true, 1'000 + piece);
    server.client_in_pieces(asked, piece);
    server.server(settings() + headers(1, status_block("200"), kEndStream) +
                  headers(3, status_block("500"), kEndStream));
    server.is_over();
    ASSERT_THAT(paths(), ElementsAre("/a", "/b")) << piece;
    const auto first = 1'000 + kPreface.size() + settings().size();
    EXPECT_EQ(sink.exchanges[0].request_sequence, first);
    EXPECT_EQ(sink.exchanges[1].request_sequence,
              first + headers(1, get_block("/a")).size() + data(9, 30).size());
  }
}

TEST_F(Http2Messages, AHundredAtATime) {
  wire.begins();
  std::string asked;
  for (std::uint32_t stream = 1; stream < 200; stream += 2)
    asked += headers(stream, get_block("/" + std::to_string(stream)), kEndStream);
  wire.client(asked);
  EXPECT_EQ(tracker.open_exchanges().size(), 100u);
  // Heads in one order, ends in another.
  std::string heads;
  std::string ends;
  for (std::uint32_t stream = 1; stream < 200; stream += 2) {
    heads += headers(stream, status_block(stream % 4 == 1 ? "200" : "503"));
    ends = data(stream, stream) + data(stream, 1, kEndStream) + ends;
  }
  wire.server(heads);
  EXPECT_THAT(sink.exchanges, IsEmpty());
  wire.server(ends);
  ASSERT_THAT(sink.exchanges, SizeIs(100));
  for (const auto& exchange : sink.exchanges) {
    const auto stream = std::stoul(std::string(exchange.operation.name.view().substr(1)));
    EXPECT_EQ(exchange.operation.status, stream % 4 == 1 ? 200 : 503);
    EXPECT_EQ(exchange.response_body_bytes, stream + 1);
  }
}

TEST_F(Http2Messages, TrailersEndIt) {
  wire.begins();
  wire.client(headers(1, post_block("/pkg.Service/Call")) + data(1, 10));
  wire.client(headers(1, field("checksum", "1"), kEndStream));
  wire.server(headers(1, status_block("200")) + data(1, 12));
  EXPECT_THAT(sink.exchanges, IsEmpty());
  wire.server(headers(1, field("grpc-status", "0"), kEndStream));
  const auto exchange = only();
  EXPECT_EQ(exchange.operation.status, 200);
  EXPECT_EQ(exchange.last_response, wire.now());
  EXPECT_EQ(exchange.request_body_bytes, 10u);
  EXPECT_EQ(exchange.response_body_bytes, 12u);
}

TEST_F(Http2Messages, InterimAnswersAnswerNothing) {
  wire.begins();
  wire.client(headers(1, post_block("/upload")));
  wire.server(headers(1, status_block("100")));
  wire.server(headers(1, status_block("103") + field("link", "</a.css>")));
  wire.client(data(1, 3, kEndStream));
  wire.server(headers(1, status_block("201"), kEndStream));
  const auto exchange = only();
  EXPECT_EQ(exchange.operation.status, 201);
  EXPECT_EQ(exchange.first_response, wire.now());
}

TEST_F(Http2Messages, PaddingAndPriorityAreNotOfTheHead) {
  wire.begins();
  const auto block = get_block("/padded");
  wire.client(frame(EXA_HTTP2_HEADERS,
                    kEndHeaders | kEndStream | EXA_HTTP2_PADDED | EXA_HTTP2_PRIORITISED, 1,
                    "\x04" + std::string("\x80\0\0\0\x10", 5) + block + std::string(4, '\0')));
  wire.server(frame(EXA_HTTP2_HEADERS, kEndHeaders | EXA_HTTP2_PADDED, 1,
                    std::string(1, '\0') + status_block("200")));
  wire.server(frame(EXA_HTTP2_DATA, kEndStream | EXA_HTTP2_PADDED, 1, "\x02xx00"));
  EXPECT_EQ(only().operation.name.view(), "/padded");
  EXPECT_EQ(only().operation.status, 200);
  EXPECT_EQ(only().response_body_bytes, kUnknownBytes) << "how much is padding is not told";
}

TEST_F(Http2Messages, PaddingOfMoreThanThereIsIsAParseError) {
  wire.begins();
  wire.client(frame(EXA_HTTP2_HEADERS, kEndHeaders | EXA_HTTP2_PADDED, 1,
                    "\x09"
                    "12345678"));
  EXPECT_EQ(count(ProtocolCounter::kParseErrorFraming), 1u);
  EXPECT_EQ(count(Counter::kChunksParseError), 1u);
  EXPECT_EQ(tracker.open_exchanges().size(), 0u);
}

TEST_F(Http2Messages, ABlockInAnyNumberOfFramesAndRecords) {
  wire.begins();
  const auto block = get_block("/long") + field("cookie", std::string(9'000, 'c'));
  const auto asked = frame(EXA_HTTP2_HEADERS, kEndStream, 1, block.substr(0, 11)) +
                     frame(EXA_HTTP2_CONTINUATION, 0, 1) +
                     frame(EXA_HTTP2_CONTINUATION, 0, 1, block.substr(11, 5'000)) +
                     frame(EXA_HTTP2_CONTINUATION, kEndHeaders, 1, block.substr(5'011));
  wire.client(asked);
  wire.server(headers(1, status_block("200"), kEndStream));
  EXPECT_EQ(only().operation.name.view(), "/long");
  EXPECT_EQ(count(ProtocolCounter::kParseErrorRequest), 0u);

  sink.exchanges.clear();
  std::string again = asked;
  for (std::size_t at = 0; at + 9 <= again.size();) {
    again[at + 8] = 3;
    at += 9 + exa_http2_length(reinterpret_cast<const __u8*>(again.data() + at));
  }
  wire.client_in_pieces(again, 700);
  wire.server(headers(3, status_block("200"), kEndStream));
  EXPECT_EQ(only().operation.name.view(), "/long");
}

TEST_F(Http2Messages, TheFirstByteOfAHeadMayHaveComeBefore) {
  wire.begins();
  const auto begin = wire.client_position();
  const auto asked = headers(1, get_block("/slow"), kEndStream);
  wire.client(asked.substr(0, 3));
  const auto first = wire.now();
  wire.tick(50);
  wire.client(asked.substr(3));
  wire.server(headers(1, status_block("200"), kEndStream));
  EXPECT_EQ(only().read, first);
  EXPECT_EQ(only().request_sequence, 1'000 + begin);
  EXPECT_FALSE(only().arrival.known()) << "that of the rest is another";
}

TEST_F(Http2Messages, OnlyTheFirstFrameOfAReadHasAnArrival) {
  wire.begins();
  wire.client(headers(1, get_block("/a"), kEndStream) + headers(3, get_block("/b"), kEndStream));
  wire.server(headers(1, status_block("200"), kEndStream) +
              headers(3, status_block("200"), kEndStream));
  ASSERT_THAT(sink.exchanges, SizeIs(2));
  EXPECT_TRUE(sink.exchanges[0].arrival.known());
  EXPECT_FALSE(sink.exchanges[1].arrival.known());
}

TEST_F(Http2Messages, ABodyWhoseMiddleIsNotTold) {
  wire.begins();
  wire.client(headers(1, get_block("/file"), kEndStream));
  const auto body = data(1, 3'000, kEndStream);
  wire.server(headers(1, status_block("200")) + body.substr(0, 9));
  wire.tick(1'000);
  wire.server(body.substr(9, 1'000));
  wire.server(body.substr(1'009, 1'000));
  EXPECT_THAT(sink.exchanges, IsEmpty());
  wire.server(body.substr(2'009));
  EXPECT_EQ(only().last_response, wire.now());
  EXPECT_EQ(only().response_body_bytes, 3'000u);
}

TEST_F(Http2Messages, ABodyThatIsSentAsAFile) {
  wire.begins();
  wire.client(headers(1, get_block("/file"), kEndStream));
  wire.server(headers(1, status_block("200")) + data(1, 5'000, kEndStream).substr(0, 9));
  wire.server_sends_file(4'000);
  EXPECT_THAT(sink.exchanges, IsEmpty());
  wire.server_sends_file(1'000);
  EXPECT_EQ(only().last_response, wire.now());
  EXPECT_EQ(only().response_body_bytes, 5'000u);
}

// Where whole frames went by untold, the size is what the head says, if it does.
TEST_F(Http2Messages, ABodyOfWhichWholeFramesAreNotTold) {
  wire.begins();
  wire.client(headers(1, get_block("/said"), kEndStream) +
              headers(3, get_block("/unsaid"), kEndStream) +
              headers(5, field(":method", "HEAD") + field(":path", "/none"), kEndStream));
  wire.server(headers(1, status_block("200") + field("content-length", "600")) +
              headers(3, status_block("200")) +
              headers(5, status_block("200") + field("content-length", "600")));
  wire.server(data(1, 300));
  wire.server(data(3, 300));
  wire.server(data(1, 300, kEndStream) + data(3, 1, kEndStream) + data(5, 0, kEndStream));
  ASSERT_THAT(paths(), ElementsAre("/said", "/unsaid", "/none"));
  EXPECT_EQ(sink.exchanges[0].response_body_bytes, 600u);
  EXPECT_EQ(sink.exchanges[1].response_body_bytes, kUnknownBytes);
  EXPECT_EQ(sink.exchanges[2].response_body_bytes, 0u);
}

// An end that lies among bytes that nobody told of shows when the next record begins behind it.
TEST_F(Http2Messages, AnEndThatWentByUntold) {
  wire.begins();
  wire.client(headers(1, get_block("/a"), kEndStream) + headers(3, get_block("/b"), kEndStream));
  wire.server(headers(1, status_block("200")) + data(1, 100, kEndStream).substr(0, 59));
  const auto unseen = wire.walk(1).unread_call(50);
  ASSERT_THAT(unseen, SizeIs(1)) << "and this record is lost without a word";
  wire.server(headers(3, status_block("200"), kEndStream));
  ASSERT_THAT(paths(), ElementsAre("/a", "/b"));
  EXPECT_EQ(sink.exchanges[0].response_body_bytes, 100u);
}

TEST_F(Http2Messages, TheRoleIsThatOfTheFirstHeadWithoutAPreface) {
  wire.joins();
  wire.server(headers(1, status_block("200")));
  wire.client(headers(3, get_block("/a"), kEndStream));
  wire.server(headers(3, status_block("200"), kEndStream));
  EXPECT_EQ(only().role, Role::kServer);
  client_wire.joins();
  client_wire.client(headers(3, get_block("/a"), kEndStream));
  client_wire.server(headers(3, status_block("200"), kEndStream));
  ASSERT_THAT(sink.exchanges, SizeIs(2));
  EXPECT_EQ(sink.exchanges[1].role, Role::kClient);
}

TEST_F(Http2Messages, FieldsOfTheTable) {
  wire.begins();
  // RFC 7541 C.3: three requests of one connection, whose later ones refer to the first.
  wire.client(headers(1, "\x82\x86\x84\x41\x0fwww.example.com", kEndStream));
  wire.client(headers(3, "\x82\x86\x84\xbe\x58\x08no-cache", kEndStream));
  wire.client(headers(5,
                      "\x82\x87\x85\xbf\x40\x0a"
                      "custom-key\x0c"
                      "custom-value",
                      kEndStream));
  for (const std::uint32_t stream : {1, 3, 5})
    wire.server(headers(stream, "\x88", kEndStream));
  ASSERT_THAT(paths(), ElementsAre("/", "/", "/index.html"));
  for (const auto& exchange : sink.exchanges) {
    EXPECT_EQ(exchange.host.view(), "www.example.com");
    EXPECT_EQ(exchange.operation.status, 200);
  }
  EXPECT_EQ(count(Counter::kHeadsPartlyUnknown), 0u);
}

// After a late join what the table had before is unknown, and what comes since is not.
TEST_F(Http2Messages, WhatOnlyTheTableKnowsStaysUnknownAfterAJoin) {
  wire.joins();
  wire.client(headers(7, indexed(2) + indexed(63), kEndStream));
  wire.client(headers(9, indexed(2) + indexing(":path", "/known"), kEndStream));
  wire.client(headers(11, indexed(2) + indexed(62), kEndStream));
  wire.server(headers(7, indexed(70), kEndStream) + headers(9, indexed(8), kEndStream) +
              headers(11, indexed(8), kEndStream));
  ASSERT_THAT(paths(), ElementsAre("", "/known", "/known"));
  const auto& unknown = sink.exchanges[0];
  EXPECT_EQ(unknown.operation.method, Method::kGet);
  EXPECT_EQ(unknown.operation.status, 0) << "no status is invented";
  EXPECT_EQ(unknown.outcome, Outcome::kComplete);
  EXPECT_EQ(count(Counter::kHeadsPartlyUnknown), 2u);
  const auto& semantics = semantics_of(unknown.operation.convention);
  const auto route = semantics.route(unknown);
  EXPECT_EQ(route, "");
  EXPECT_EQ(semantics.span_name(unknown, route), "GET");
  EXPECT_FALSE(is_error(unknown));
}

TEST_F(Http2Messages, TheServersLimitOfTheTableHoldsFromItsAcknowledgement) {
  wire.client(std::string(kPreface) + settings());
  const auto table = http2_frames::number(1, 2) + http2_frames::number(8'192, 4);
  wire.server_in_pieces(settings(table), 4);
  wire.client(settings({}, EXA_HTTP2_ACK));
  // A size update to 8,192.
  wire.client(headers(1, "\x3f\xe1\x3f" + get_block("/large"), kEndStream));
  wire.server(headers(1, status_block("200"), kEndStream));
  EXPECT_EQ(only().operation.name.view(), "/large");

  // What lies beyond 4 KiB of it is known too.
  wire.client(headers(3, indexed(2) + indexing(":path", "/first"), kEndStream));
  wire.client(headers(5,
                      get_block("/") + indexing("cookie", std::string(4'000, 'c')) +
                          indexing("b", std::string(1'000, 'b')),
                      kEndStream));
  wire.client(headers(7, indexed(2) + indexed(64), kEndStream));
  wire.server(headers(7, status_block("200"), kEndStream));
  ASSERT_THAT(sink.exchanges, SizeIs(2));
  EXPECT_EQ(sink.exchanges[1].operation.name.view(), "/first");
  EXPECT_EQ(count(ProtocolCounter::kParseErrorRequest), 0u);
}

}  // namespace
}  // namespace exa::testing
