#include "agent/trace/span_synthesizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace exa {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::Not;

auto HasKey(const std::string& key) {
  return Contains(Field(&Attribute::key, key));
}
auto Has(const std::string& key, AttributeValue value) {
  return Contains(Attribute{key, std::move(value)});
}

Exchange checkout() {
  Exchange exchange;
  exchange.role = Role::kServer;
  exchange.protocol_version = ProtocolVersion::k11;
  exchange.outcome = Outcome::kComplete;
  exchange.operation.method = Method::kGet;
  exchange.operation.status = 200;
  exchange.local = {.address = {10, 0, 0, 2}, .port = 8080};
  exchange.remote = {.address = {10, 0, 0, 1}, .port = 40000};
  exchange.arrival = {1'000'000};
  exchange.read = {3'000'000};
  exchange.first_response = {10'000'000};
  exchange.last_response = {12'000'001};
  exchange.trace_id.bytes[15] = 1;
  exchange.span_id.bytes[7] = 2;
  exchange.trace_flags = kTraceRandom;
  exchange.operation.name.assign("/checkout/4711");
  exchange.host.assign("shop.example:8443");
  return exchange;
}

constexpr WallClockOffset kOffset{.ns = 1'700'000'000'000'000'000};

Span span_of(const Exchange& exchange, const SpanPurpose& purpose = {}) {
  return synthesize_span(exchange, purpose, std::make_shared<const Resource>(), kOffset);
}

TEST(SpanSynthesizer, DescribesAServerRequest) {
  const auto span = span_of(checkout(), {.reason = ExemplarReason::kSlowest});

  EXPECT_EQ(span.name, "GET /checkout/{id}");
  EXPECT_EQ(span.kind, SpanKind::kServer);
  EXPECT_EQ(span.status, SpanStatus::kUnset);
  EXPECT_EQ(span.start.ns, 1'700'000'000'003'000'000u);
  EXPECT_EQ(span.end.ns - span.start.ns, 9'000'001u);
  EXPECT_THAT(span.attributes, Has("http.request.method", std::string("GET")));
  EXPECT_THAT(span.attributes, Has("url.path", std::string("/checkout/4711")));
  EXPECT_THAT(span.attributes, Has("url.scheme", std::string("http")));
  EXPECT_THAT(span.attributes, Has("http.response.status_code", std::int64_t{200}));
  EXPECT_THAT(span.attributes, Has("network.protocol.version", std::string("1.1")));
  EXPECT_THAT(span.attributes, Has("client.address", std::string("10.0.0.1")));
  EXPECT_THAT(span.attributes, Has("network.peer.address", std::string("10.0.0.1")));
  EXPECT_THAT(span.attributes, Has("network.peer.port", std::int64_t{40000}));
  EXPECT_THAT(span.attributes, Has("server.port", std::int64_t{8080}));
  EXPECT_THAT(span.attributes, Has("exemplar_agent.queue_time_s", 0.002));
  EXPECT_THAT(span.attributes, Has("exemplar_agent.time_to_first_byte_s", 0.007));
  EXPECT_THAT(span.attributes, Has("exemplar", std::string("true")));
  EXPECT_THAT(span.attributes, Has("exemplar.reason", std::string("slowest")));
  EXPECT_THAT(span.attributes, Not(HasKey("http.route")));
  EXPECT_THAT(span.attributes, Not(HasKey("error.type")));
}

TEST(SpanSynthesizer, SaysWhyItTookSoLong) {
  auto exchange = checkout();
  exchange.account = {.cpu_wait = std::chrono::microseconds(6'000),
                      .throttled = std::chrono::microseconds(5'000),
                      .on_cpu = std::chrono::microseconds(2'000),
                      .throttled_times = 2,
                      .minor_faults = 7,
                      .retransmits = 1,
                      .receiver_limited_ms = 4,
                      .before = {.connect_us = 1'500},
                      .thread_known = true,
                      .cpu_wait_known = true,
                      .throttle_known = true,
                      .socket_known = true};
  const auto span = span_of(exchange);
  EXPECT_THAT(span.attributes, Has("exemplar.why.cpu_wait", 0.006));
  EXPECT_THAT(span.attributes, Has("exemplar.why.throttled", 0.005));
  EXPECT_THAT(span.attributes, Has("exemplar.why.throttled_times", std::int64_t{2}));
  EXPECT_THAT(span.attributes, Has("exemplar.why.on_cpu", 0.002));
  EXPECT_THAT(span.attributes, Has("exemplar.why.asleep", 0.001000001));
  EXPECT_THAT(span.attributes, Has("exemplar.why.page_faults", std::int64_t{7}));
  EXPECT_THAT(span.attributes, Has("exemplar.why.retransmits", std::int64_t{1}));
  EXPECT_THAT(span.attributes, Has("exemplar.why.receiver_limited", 0.004));
  EXPECT_THAT(span.attributes, Has("exemplar.why.connect", 0.0015));
  EXPECT_THAT(
      span.attributes,
      Has("exemplar.why",
          std::string("56 % kept from the CPU by its cgroup's quota (2 times), 22 % on a "
                      "CPU, 11 % asleep, 11 % waiting for a CPU; 1 segment retransmitted; 4 "
                      "ms waiting for the peer to make room; before it, connecting took 1.50 "
                      "ms; it waited 2.00 ms to be read")));
  EXPECT_THAT(span.attributes, Not(HasKey("exemplar.why.downstream")));
}

TEST(SpanSynthesizer, MarksWhatHappenedWhen) {
  auto exchange = checkout();
  const auto span =
      span_of(exchange, {.delivery = {.sent_again = 2,
                                      .sent_again_after = std::chrono::milliseconds(3),
                                      .acknowledged_after = std::chrono::milliseconds(4)}});
  const std::vector<SpanEvent> expected = {
      {kOffset.to_wall(exchange.arrival), "exemplar.request.arrived"},
      {kOffset.to_wall(exchange.first_response), "exemplar.response.first_byte"},
      {{span.end.ns + 3'000'000}, "exemplar.response.sent_again"},
      {{span.end.ns + 4'000'000}, "exemplar.response.acknowledged"}};
  EXPECT_EQ(span.events, expected);
  EXPECT_THAT(span.attributes, Has("exemplar.why.sent_again", std::int64_t{2}));
  EXPECT_THAT(span.attributes, Has("exemplar.why.sent_again_after", 0.003));
  EXPECT_THAT(span.attributes, Has("exemplar.why.acknowledged_after", 0.004));
  EXPECT_THAT(span.attributes,
              Has("exemplar.why",
                  std::string("its answer was retransmitted 2 times, the last 3.00 ms after it was "
                              "written, and acknowledged 4.00 ms after it was written")));
  exchange.arrival = exchange.first_response = {};
  EXPECT_TRUE(span_of(exchange).events.empty());
}

TEST(SpanSynthesizer, SaysNothingOfWhatIsNotKnown) {
  for (const auto& attribute : span_of(checkout()).attributes)
    EXPECT_FALSE(attribute.key.starts_with("exemplar.why")) << attribute.key;
}

TEST(SpanSynthesizer, CallsAServerByTheNameTheClientUsed) {
  auto exchange = checkout();
  exchange.role = Role::kClient;
  const auto span = span_of(exchange);
  EXPECT_EQ(span.kind, SpanKind::kClient);
  EXPECT_THAT(span.attributes, Has("server.address", std::string("shop.example")));
  EXPECT_THAT(span.attributes, Has("server.port", std::int64_t{8443}));
  EXPECT_THAT(span.attributes, Not(HasKey("client.address")));
  EXPECT_THAT(span.attributes, Not(HasKey("exemplar_agent.queue_time_s")));
  EXPECT_THAT(span.attributes, Not(HasKey("exemplar")));
}

TEST(SpanSynthesizer, CountsClientErrorsAgainstTheClientOnly) {
  auto exchange = checkout();
  exchange.operation.status = 404;
  EXPECT_EQ(span_of(exchange).status, SpanStatus::kUnset);
  exchange.role = Role::kClient;
  EXPECT_EQ(span_of(exchange).status, SpanStatus::kError);
  EXPECT_THAT(span_of(exchange).attributes, Has("error.type", std::string("404")));
  exchange.role = Role::kServer;
  exchange.operation.status = 503;
  EXPECT_EQ(span_of(exchange).status, SpanStatus::kError);
  EXPECT_THAT(span_of(exchange).attributes, Has("error.type", std::string("503")));
}

TEST(SpanSynthesizer, NamesHowATransferBroke) {
  auto exchange = checkout();
  exchange.outcome = Outcome::kAbortedByPeer;
  exchange.operation.status = 0;
  exchange.socket_error = ECONNRESET;
  const auto reset = span_of(exchange);
  EXPECT_EQ(reset.status, SpanStatus::kError);
  EXPECT_THAT(reset.attributes, Has("error.type", std::string("connection_reset")));
  EXPECT_THAT(reset.attributes, Not(HasKey("http.response.status_code")));
  exchange.socket_error = ETIMEDOUT;
  EXPECT_THAT(span_of(exchange).attributes, Has("error.type", std::string("timeout")));
  exchange.socket_error = 0;
  EXPECT_THAT(span_of(exchange).attributes, Has("error.type", std::string("aborted")));
}

TEST(SpanSynthesizer, FlagsSayWhetherTheParentIsRemote) {
  auto exchange = checkout();
  EXPECT_EQ(span_of(exchange).flags, std::uint32_t{kTraceSampled | kTraceRandom});
  exchange.parent_span_id.bytes[0] = 9;
  EXPECT_EQ(span_of(exchange).flags,
            kTraceSampled | kTraceRandom | kSpanHasIsRemote | kSpanIsRemote);
  exchange.has_context = true;
  exchange.trace_flags = 0;
  exchange.role = Role::kClient;
  EXPECT_EQ(span_of(exchange).flags, kTraceSampled | kSpanHasIsRemote);
}

TEST(SpanSynthesizer, PublishesThresholdAndRandomnessInTraceState) {
  auto exchange = checkout();
  EXPECT_EQ(span_of(exchange).trace_state, "");
  // 99.5 % of 2^56, as the probability-sampling specification writes it.
  EXPECT_EQ(span_of(exchange, {.threshold = 0xfeb851eb851eb8}).trace_state, "ot=th:feb851eb851eb8");
  EXPECT_EQ(span_of(exchange, {.threshold = 0xfe000000000000}).trace_state, "ot=th:fe");
  exchange.has_incoming_rv = true;
  exchange.randomness = 0xff00000000000a;
  EXPECT_EQ(span_of(exchange, {.threshold = 0xfe000000000000}).trace_state,
            "ot=th:fe;rv:ff00000000000a");
}

TEST(SpanSynthesizer, AnUnknownMethodIsNamedByTheConventions) {
  auto exchange = checkout();
  exchange.operation.method = Method::kOther;
  exchange.operation.name.assign("");
  const auto span = span_of(exchange);
  EXPECT_EQ(span.name, "HTTP");
  EXPECT_THAT(span.attributes, Has("http.request.method", std::string("_OTHER")));
  EXPECT_THAT(span.attributes, Not(HasKey("url.path")));
}

}  // namespace
}  // namespace exa
