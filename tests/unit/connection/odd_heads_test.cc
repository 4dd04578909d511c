// Heads that break a rule: what a server answers is one exchange at each end, the next request on
// the connection counts too, and no answer goes to another request than its own.
#include <string>
#include <vector>

#include "tests/unit/connection/tracker_fixture.h"

namespace exa {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OddHeads : public testing::TrackerFixture {
 protected:
  static constexpr std::string_view kBad = "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n";
  static constexpr std::string_view kMissing = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n";
  static constexpr std::string_view kSmuggler =
      "POST /te HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n";

  std::uint64_t orphans() const {
    return count(ProtocolCounter::kOrphanResponse) + count(ProtocolCounter::kOrphanRequest) +
           count(ProtocolCounter::kOrphanGap) + count(Counter::kChunksOrphan);
  }
};

TEST_F(OddHeads, EachHasItsAnswerAtBothEndsAndSoHasTheNextRequest) {
  struct Row {
    std::string request;
    std::string path;
    bool framing = false;
    bool disputed = false;  // for some readers a body follows
  };
  const std::string rest = " HTTP/1.1\r\nHost: t\r\n";
  const std::vector<Row> rows = {
      {"GET /nc" + rest + "garbage\r\n\r\n", "/nc"},
      {"GET /br" + rest + "X-Foo[bar]: 1\r\n\r\n", "/br"},
      {"GET /sp" + rest + "X-Foo : 1\r\n\r\n", "/sp"},
      {"GET /en" + rest + ": x\r\n\r\n", "/en"},
      {"GET /ff HTTP/1.1\r\n X: 1\r\nHost: t\r\n\r\n", "/ff"},
      {"GET /nul" + rest + std::string("X: a\0b\r\n\r\n", 10), "/nul", false, true},
      {"GET /cr" + rest + "X: a\rb\r\n\r\n", "/cr", false, true},
      {"GET /a b" + rest + "\r\n", "/a"},
      {"GET\t/tab\tHTTP/1.1\r\nHost: t\r\n\r\n", "/tab"},
      {"GET rel/path" + rest + "\r\n", "rel/path"},
      {"GET /20 HTTP/2.0\r\nHost: t\r\n\r\n", "/20"},
      {"GET /110 HTTP/1.10\r\nHost: t\r\n\r\n", "/110"},
      {"GET /09\r\nHost: t\r\n\r\n", "/09", false, true},
      {std::string(kSmuggler) + "0\r\n\r\n", "/te", true},
      {"POST /tei" + rest + "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok", "/tei",
       true},
      {"POST /tex" + rest + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "/tex", true},
      {"POST /te10 HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "/te10", true},
      {"POST /clp" + rest + "Content-Length: +2\r\n\r\nok", "/clp", true},
      {"POST /2cl" + rest + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nokk", "/2cl", true},
      {"POST /hid" + rest + "Content-Length : 2\r\n\r\nok", "/hid"},
      {"POST /end" + rest + "garbage\r\nContent-Length: 2\r\n\r\nok", "/end"},
  };
  SocketId socket = 100;
  std::uint64_t framing = 0;
  for (const auto& row : rows) {
    for (const bool client : {false, true}) {
      SCOPED_TRACE(row.path + (client ? " at the client" : " at the server"));
      const auto before = sink.exchanges.size();
      testing::Wire one(tracker, ++socket);
      const auto asks = client ? Direction::kEgress : Direction::kIngress;
      one.chunk(asks, row.request);
      one.chunk(opposite(asks), kBad);
      one.chunk(asks, kGet);
      one.chunk(opposite(asks), kOk);
      one.is_over();

      ASSERT_EQ(sink.exchanges.size(), before + 2);
      const auto& odd = sink.exchanges[before];
      EXPECT_EQ(odd.operation.status, 400);
      EXPECT_EQ(odd.operation.name.view(), row.path);
      EXPECT_EQ(odd.role, client ? Role::kClient : Role::kServer);
      EXPECT_EQ(odd.outcome, Outcome::kComplete);
      const bool bodiless = row.request.ends_with("\r\n\r\n") && !row.framing && !row.disputed;
      EXPECT_EQ(odd.request_body_bytes, bodiless ? 0u : kUnknownBytes);
      EXPECT_EQ(sink.exchanges[before + 1].operation.status, 200);
      EXPECT_EQ(sink.exchanges[before + 1].operation.name.view(), "/cart");
      framing += row.framing ? 1 : 0;
    }
  }
  EXPECT_EQ(count(ProtocolCounter::kParseErrorFraming), framing);
  EXPECT_EQ(count(ProtocolCounter::kParseErrorRequest), 2 * rows.size() - framing);
  EXPECT_EQ(count(Counter::kChunksParseError), 2 * rows.size());
  EXPECT_EQ(orphans(), 0u);
}

TEST_F(OddHeads, PipelinedRequestsAreAnsweredInOrderWhereTheBodyIsCertain) {
  wire.reads(
      "GET /a b HTTP/1.1\r\n\r\nPOST /20 HTTP/2.0\r\nContent-Length: 2\r\n\r\nokGET /c "
      "HTTP/1.1\r\n\r\n");
  wire.writes(std::string(kOk) + std::string(kBad) + std::string(kMissing));
  EXPECT_THAT(paths(), ElementsAre("/a", "/20", "/c"));
  EXPECT_THAT(statuses(), ElementsAre(200, 400, 404));
}

TEST_F(OddHeads, AnAnswerToAHeadThatWasNotReadToItsEndIsItsAnswer) {
  const std::vector<std::pair<std::string, std::string>> heads = {
      {"GET /inc HTTP/1.1\r\nHost: t\r\nX:", "/inc"},
      {"GET /09\r\n", "/09"},
      {"GET /cr HTTP/1.1\rHost: t\r\r", "/cr"},
      {"GET /lo", "/lo"},
  };
  SocketId socket = 200;
  for (const auto& [head, path] : heads) {
    sink.exchanges.clear();
    testing::Wire one(tracker, ++socket);
    one.reads(head);
    one.writes("HTTP/1.1 408 Late\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    one.is_over();
    EXPECT_EQ(only().operation.status, 408) << path;
    EXPECT_EQ(only().operation.name.view(), path);
  }
  EXPECT_EQ(count(ProtocolCounter::kParseErrorRequest), heads.size());
  EXPECT_EQ(count(Counter::kHeadTooLong), 0u);
  EXPECT_EQ(orphans(), 0u);
  sink.exchanges.resize(count(Counter::kExchanges));
}

TEST_F(OddHeads, WhoseAnswerItIsIsOnlyKnownWhereAllOfTheHeadWasSeen) {
  wire.reads("GET /inc HTTP/1.1\r\nX:");
  wire.reads_unseen(40);  // the rest, and perhaps more
  wire.writes(kOk);
  EXPECT_THAT(sink.exchanges, IsEmpty());
}

TEST_F(OddHeads, AnotherProtocolBehindARequestLineIsNone) {
  wire.reads("GET /key\r\n");
  wire.writes("$5\r\nvalue\r\n");
  EXPECT_THAT(sink.exchanges, IsEmpty());
}

TEST_F(OddHeads, BehindSomethingUnknownOnlyAValidHeadIsBelieved) {
  wire.reads("hello\n");
  wire.reads("GET /a b HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  EXPECT_THAT(sink.exchanges, IsEmpty());
}

TEST_F(OddHeads, OneBehindAProxyHeaderCounts) {
  wire.reads("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET /a b HTTP/1.1\r\n\r\n");
  wire.writes(kBad);
  EXPECT_EQ(only().operation.status, 400);
}

// Of whom the second answer is depends on how the server reads the first request.
TEST_F(OddHeads, ARequestInADisputedBodyTakesNobodysAnswer) {
  const std::vector<std::vector<std::string>> sent = {
      {std::string(kSmuggler) + "0\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n"},
      {std::string(kSmuggler) + "0\r\n\r\n", "GET /hidden HTTP/1.1\r\n\r\n"},
      {std::string(kSmuggler) + "0\r\n\r\nGET /hidden HT", "TP/1.1\r\n\r\n"},
      {"GET /te HTTP/1.1\r\nX: a\r\rGET /hidden HTTP/1.1\r\rY: b\r\n\r\n"},
      {"POST /te HTTP/1.1\r\nContent-Length : 5\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n"},
      {"POST /te HTTP/1.1\r\nX\r\nContent-Length: 24\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n"},
  };
  SocketId socket = 300;
  for (const auto& pieces : sent) {
    sink.exchanges.clear();
    testing::Wire one(tracker, ++socket);
    for (const auto& piece : pieces)
      one.reads(piece);
    one.writes(kOk);
    one.reads("GET /next HTTP/1.1\r\n\r\n");
    one.writes(kMissing);  // of /hidden
    one.reads("GET /then HTTP/1.1\r\n\r\n");
    one.writes(kOk);  // of /next
    one.reads("GET /last HTTP/1.1\r\n\r\n");
    one.is_over();
    EXPECT_THAT(paths(), ElementsAre("/te")) << pieces.front();
    EXPECT_THAT(statuses(), ElementsAre(200));
  }
  sink.exchanges.resize(count(Counter::kExchanges));
}

TEST_F(OddHeads, NeitherDoesOneInWhatWasNotCaptured) {
  wire.reads(kSmuggler);
  wire.reads_unseen(500);
  wire.writes(kOk);
  wire.reads("GET /next HTTP/1.1\r\n\r\n");
  wire.writes(kMissing);
  wire.reads("GET /then HTTP/1.1\r\n\r\n");
  wire.writes(kOk);
  EXPECT_THAT(paths(), ElementsAre("/te"));
}

TEST_F(OddHeads, TheLastChunkOfADisputedBodyIsNoEndBeforeTheAnswer) {
  wire.reads(
      "POST /te HTTP/1.1\r\nContent-Length: 40\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
  wire.reads("GET /body of the length");
  wire.writes(kOk);
  wire.reads(kGet);
  wire.writes(kMissing);
  EXPECT_THAT(paths(), ElementsAre("/te", "/cart"));
  EXPECT_THAT(statuses(), ElementsAre(200, 404));
}

TEST_F(OddHeads, AnAnswerWithALineThatIsNoFieldCounts) {
  wire.reads(kGet);
  wire.writes("HTTP/1.1 201 Made\r\ngarbage\r\nX-Foo[bar]: 1\r\nContent-Length: 2\r\n\r\nok");
  wire.reads(kGet);
  wire.writes(kOk);
  EXPECT_THAT(statuses(), ElementsAre(201, 200));
  EXPECT_EQ(count(ProtocolCounter::kParseErrorResponse), 1u);
  EXPECT_EQ(orphans(), 0u);
}

TEST_F(OddHeads, AnAnswerOfDisputedLengthEndsBeforeTheNextOne) {
  wire.reads(kGet);
  wire.writes("HTTP/1.1 201 Made\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk");
  const auto last_byte = wire.now();
  wire.reads(kGet);
  wire.writes(kOk);
  EXPECT_THAT(statuses(), ElementsAre(201, 200));
  EXPECT_EQ(sink.exchanges[0].last_response, last_byte);
  EXPECT_EQ(count(ProtocolCounter::kParseErrorFraming), 1u);
}

TEST_F(OddHeads, AnAnswerOfDisputedLengthIsNobodysWhereMoreAreAwaited) {
  wire.reads("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
  wire.writes("HTTP/1.1 201 Made\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk");
  wire.writes(kOk);
  EXPECT_THAT(sink.exchanges, IsEmpty());
}

}  // namespace
}  // namespace exa
