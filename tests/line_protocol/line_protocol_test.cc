// A protocol is two folders and a row, and a convention is a row: the product's libraries read,
// count and describe one of which they know nothing.
#include <gmock/gmock.h>

#include <string>

#include "agent/connection/tracker.h"
#include "agent/conversation/registry.h"
#include "agent/metrics/series_key.h"
#include "agent/trace/span_synthesizer.h"
#include "tests/line_protocol/line_semantics.h"
#include "tests/unit/connection/tracker_fixture.h"

namespace exa::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LineProtocol : public TrackerFixture {};

TEST_F(LineProtocol, IsReadBesideHttp) {
  wire.reads("ask: time\nask: day\n");
  wire.writes("OK\n");
  wire.writes("ERR 7\n");
  Wire other(tracker, 8);
  other.reads(kGet);
  other.writes(kOk);
  EXPECT_THAT(paths(), ElementsAre("time", "day", "/cart"));
  EXPECT_THAT(statuses(), ElementsAre(0, 7, 200));
  EXPECT_EQ(sink.exchanges[0].operation.convention, line::kLine);
  EXPECT_EQ(sink.exchanges[0].role, Role::kServer);
  EXPECT_EQ(sink.exchanges[2].operation.convention, Convention::kHttp);
}

TEST_F(LineProtocol, IsRecognisedHoweverItsFirstBytesAreCut) {
  for (std::size_t cut = 1; cut < 9; ++cut) {
    Wire one(tracker, 100 + cut);
    const std::string_view ask = "ask: time\n";
    one.reads(ask.substr(0, cut));
    const auto began = one.now();
    one.reads(ask.substr(cut));
    one.writes("O");
    one.writes("K\n");
    ASSERT_EQ(sink.exchanges.size(), cut);
    EXPECT_EQ(sink.exchanges.back().operation.name.view(), "time");
    EXPECT_EQ(sink.exchanges.back().read.ns, began.ns);
    EXPECT_EQ(sink.exchanges.back().request_sequence, 1'000u);
  }
}

TEST_F(LineProtocol, LosesWhatWaitsWithAGap) {
  wire.reads("ask: time\n");
  wire.writes_unseen(3);
  wire.reads("ask: day\n");
  wire.writes("OK\n");
  EXPECT_THAT(sink.exchanges, IsEmpty());
  EXPECT_EQ(count(ProtocolCounter::kOrphanGap),
            2u);  // whose answer was in the gap, nobody can tell
}

TEST_F(LineProtocol, HasCountersOfItsOwn) {
  wire.reads("ask: time\nask: day\nask: year\n");
  wire.writes("WHAT\n");  // no answer of the protocol
  wire.writes_unseen(3);
  wire.writes("OK\n");
  Wire other(tracker, 8);
  other.reads(kGet);
  other.is_over();
  const auto& ours = counters.of_protocol("line");
  EXPECT_EQ(ours.get(ProtocolCounter::kParseErrorResponse), 1u);
  EXPECT_EQ(ours.get(ProtocolCounter::kOrphanGap), 2u);
  const auto& http = counters.of_protocol("http1");
  EXPECT_EQ(http.get(ProtocolCounter::kParseErrorResponse), 0u);
  EXPECT_EQ(http.get(ProtocolCounter::kOrphanGap), 0u);
  EXPECT_EQ(counters.protocols().size(), protocols().size())
      << "named by the rows of the registry, by nobody else";
}

TEST_F(LineProtocol, IsForgottenWithItsConnection) {
  wire.reads("ask: ti");
  wire.reads("me\nask:");
  wire.is_over();
  EXPECT_EQ(only().outcome, Outcome::kAbortedByPeer);
  EXPECT_EQ(tracker.size(), 0u);
  EXPECT_EQ(tracker.open_exchanges().size(), 0u);
}

TEST_F(LineProtocol, IsDescribedByTheRowOfItsConvention) {
  wire.socket();
  wire.reads("ask: time\n");
  wire.writes("ERR 7\n");
  const auto exchange = only();
  EXPECT_TRUE(is_error(exchange));

  SeriesKeys keys(8, counters);
  const auto key = keys.duration(exchange);
  EXPECT_STREQ(describe(key).name, "line.server.request.duration");
  EXPECT_THAT(attributes_of(key), ElementsAre(Attribute{"error.type", std::string("ERR 7")}));
  auto http = key;
  http.convention = Convention::kHttp;
  EXPECT_FALSE(http == key);
  EXPECT_NE(http.hash(), key.hash());
  EXPECT_STREQ(describe(overflow_key(line::kLine, key.kind, kNoTarget)).name,
               "line.server.request.duration");

  const auto span = synthesize_span(exchange, {}, nullptr, {});
  EXPECT_EQ(span.name, "ASK");
  EXPECT_EQ(span.status, SpanStatus::kError);
  EXPECT_THAT(span.attributes, Contains(Attribute{"line.word", std::string("time")}));
  EXPECT_THAT(span.attributes, Contains(Attribute{"server.port", std::int64_t{8080}}));
}

}  // namespace
}  // namespace exa::testing
