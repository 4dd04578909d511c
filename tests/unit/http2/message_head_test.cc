#include "agent/protocol/http2/message_head.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "tests/support/all_propagators.h"

namespace exa::http2 {
namespace {

using hpack::Field;

constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

Field field(std::string_view name, std::string_view value) {
  return {.name = name, .value = value};
}
Field unknown_value(std::string_view name) {
  return {.name = name, .value = {}, .unknown_id = -1, .value_known = false};
}
Field unknown() {
  return {.name = {}, .value = {}, .unknown_id = -2, .name_known = false, .value_known = false};
}
const ContextHeaders kW3c({Propagator::kW3c});
const ContextHeaders kAll(kAllPropagators);

MessageHead head(std::initializer_list<Field> fields, const ContextHeaders& contexts = kW3c) {
  MessageHead made(contexts);
  for (const auto& one : fields)
    made.take(one);
  return made;
}

TEST(MessageHead, OfARequest) {
  const auto made =
      head({field(":method", "POST"), field(":scheme", "https"), field(":path", "/cart/7?token=1"),
            field(":authority", "shop.example:8443"), field("host", "other"),
            field("content-length", "12"), field("content-type", "application/grpc"),
            field("traceparent", kParent), field("tracestate", "ot=rv:0123456789abcd")});
  EXPECT_TRUE(made.is_request());
  EXPECT_FALSE(made.is_response());
  EXPECT_TRUE(made.method_known());
  EXPECT_EQ(made.method(), Method::kPost);
  EXPECT_EQ(made.path().view(), "/cart/7");
  EXPECT_EQ(made.host().view(), "shop.example:8443");
  EXPECT_EQ(made.content_length(), 12u);
  EXPECT_TRUE(made.is_grpc());
  EXPECT_EQ(made.context().state(), ContextState::kValid);
  EXPECT_EQ(made.context().randomness(), 0x0123456789abcdu);
}

TEST(MessageHead, OfAnAnswer) {
  const auto made = head({field(":status", "404"), field("content-length", "0")});
  EXPECT_TRUE(made.is_response());
  EXPECT_FALSE(made.is_request());
  EXPECT_EQ(made.status(), 404);
  EXPECT_FALSE(made.is_interim());
  EXPECT_TRUE(head({field(":status", "103")}).is_interim());
  for (const auto* const odd : {"", "20", "2000", "0x1", "099", "-10"})
    EXPECT_EQ(head({field(":status", odd)}).status(), 0) << odd;
}

TEST(MessageHead, TrailersAreNeither) {
  const auto made = head({field("grpc-status", "0")});
  EXPECT_FALSE(made.is_request());
  EXPECT_FALSE(made.is_response());
}

TEST(MessageHead, WhatIsNotKnownStaysUnknown) {
  const auto made =
      head({field(":method", "GET"), unknown(), unknown_value(":path"), unknown_value(":authority"),
            field("host", "guess"), unknown_value("content-length"), unknown_value("traceparent")});
  EXPECT_TRUE(made.is_request());
  EXPECT_TRUE(made.path().empty());
  EXPECT_TRUE(made.host().empty()) << "the authority counts, and is not known";
  EXPECT_EQ(made.content_length(), kUnknownBytes);
  EXPECT_EQ(made.context().state(), ContextState::kUnknown);

  const auto answer = head({unknown_value(":status")});
  EXPECT_TRUE(answer.is_response());
  EXPECT_EQ(answer.status(), 0);
  EXPECT_FALSE(head({unknown_value(":method")}).method_known());
  EXPECT_FALSE(head({unknown()}).is_request());
}

// As of a connection that is older than the agent: peers keep names, and send values that vary.
TEST(MessageHead, ATraceparentWhoseNameIsNotKnownIsKnownByItsForm) {
  Field unnamed = field("", kParent);
  unnamed.name_known = false;
  EXPECT_EQ(head({unnamed}).context().state(), ContextState::kValid);
  EXPECT_EQ(head({unnamed, unnamed}).context().state(), ContextState::kValid) << "says the same";
  Field other = unnamed;
  other.value = "00-ffffffffffffffffffffffffffffffff-b7ad6b7169203331-01";
  EXPECT_EQ(head({unnamed, other}).context().state(), ContextState::kAbsent) << "one is another";
  const auto named = head({other, field("traceparent", kParent)});
  EXPECT_EQ(named.context().context()->trace_id, head({unnamed}).context().context()->trace_id);
  EXPECT_EQ(head({unnamed, unknown_value("traceparent")}).context().state(),
            ContextState::kUnknown);
  unnamed.value = "a value of fifty-five characters that is no traceparent";
  EXPECT_EQ(head({unnamed}).context().state(), ContextState::kAbsent);
}

TEST(MessageHead, OfAStateOfWhichAPartIsUnknownNothingIsTaken) {
  const auto made =
      head({field("traceparent", kParent), field("tracestate", "ot=rv:0123456789abcd"),
            unknown_value("tracestate")});
  EXPECT_EQ(made.context().state(), ContextState::kValid);
  EXPECT_FALSE(made.context().randomness());
}

TEST(MessageHead, ReadsEveryPropagatorsContext) {
  const auto trace_of = [](std::initializer_list<Field> fields) {
    const auto context = head(fields, kAll).context().context();
    return context ? to_hex(context->trace_id) : "none";
  };
  EXPECT_EQ(trace_of({field("b3", "463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-1")}),
            "463ac35c9f6413ad48485a3953bb6124");
  EXPECT_EQ(trace_of({field("x-b3-spanid", "a2fb4a1d1a96d312"),
                      field("x-b3-traceid", "463ac35c9f6413ad48485a3953bb6124")}),
            "463ac35c9f6413ad48485a3953bb6124");
  EXPECT_EQ(trace_of({field("uber-trace-id", "abc:def:0:1")}), "00000000000000000000000000000abc");
  EXPECT_EQ(trace_of({field("x-amzn-trace-id",
                            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8")}),
            "5759e988bd862e3fe1be46a994272793");
  EXPECT_EQ(trace_of({field("x-datadog-trace-id", "1"), field("x-datadog-parent-id", "2"),
                      field("x-datadog-tags", "_dd.p.tid=640cfd8d00000000")}),
            "640cfd8d000000000000000000000001");
}

// No name but that of the one field by its form: other formats look like any word or number.
TEST(MessageHead, OnlyATraceparentIsKnownByItsForm) {
  Field unnamed = field("", "463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-1");
  unnamed.name_known = false;
  EXPECT_EQ(head({unnamed}, kAll).context().state(), ContextState::kAbsent);
  unnamed.value = kParent;
  EXPECT_EQ(head({unnamed}, kAll).context().state(), ContextState::kValid);
  const ContextHeaders b3({Propagator::kB3});
  EXPECT_EQ(head({unnamed}, b3).context().state(), ContextState::kAbsent) << "not asked for";
}

TEST(MessageHead, AValueThatIsNotKnownMayBeTheContextThatCounts) {
  const auto b3 = field("b3", "463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-1");
  const auto made = head({unknown_value("traceparent"), b3}, kAll);
  EXPECT_TRUE(made.partly_unknown());
  EXPECT_EQ(made.context().state(), ContextState::kUnknown);
  EXPECT_EQ(head({field("traceparent", kParent), unknown_value("b3")}, kAll).context().state(),
            ContextState::kValid);
  EXPECT_EQ(head({unknown_value("b3")}, kAll).context().state(), ContextState::kUnknown);
  EXPECT_FALSE(head({unknown_value("b3")}).partly_unknown()) << "it is not read";
}

// The tags, with the upper half of the id, may be among the fields whose names are not known.
TEST(MessageHead, HalfATraceIdIsUnknownWhereNamesAre) {
  const auto trace = field("x-datadog-trace-id", "1");
  const auto parent = field("x-datadog-parent-id", "2");
  EXPECT_EQ(head({trace, parent}, kAll).context().state(), ContextState::kValid);
  EXPECT_EQ(head({trace, parent, unknown()}, kAll).context().state(), ContextState::kUnknown);
  EXPECT_EQ(head({trace, parent, unknown_value("x-datadog-tags")}, kAll).context().state(),
            ContextState::kUnknown);
  EXPECT_EQ(
      head({trace, parent, unknown_value("x-datadog-sampling-priority")}, kAll).context().state(),
      ContextState::kValid);
}

TEST(MessageHead, MayTellOnWhatIsNoSecret) {
  EXPECT_TRUE(MessageHead::tells("traceparent", kParent));
  EXPECT_TRUE(MessageHead::tells("b3", "463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-1"));
  EXPECT_TRUE(MessageHead::tells("x-datadog-trace-id", "1"));
  EXPECT_TRUE(MessageHead::tells("x-datadog-tags", "_dd.p.dm=-1"));
  EXPECT_TRUE(MessageHead::tells("x-amzn-trace-id", "Root=1-00000000-000000000000000000000004"));
  EXPECT_FALSE(MessageHead::tells("content-type", "text/plain;boundary=a"));
  EXPECT_FALSE(MessageHead::tells(":path", "/a=b"));
  EXPECT_FALSE(MessageHead::tells("authorization", "b3"));
}

TEST(MessageHead, OddTargetsAndMethods) {
  EXPECT_EQ(head({field(":method", "PURGE")}).method_original().view(), "PURGE");
  EXPECT_TRUE(head({field(":method", "\x1b[31m")}).method_original().empty());
  EXPECT_EQ(head({field(":path", "*")}).path().view(), "*");
  EXPECT_EQ(head({field(":path", "/a b")}).path().view(), "/a");
  EXPECT_EQ(head({field(":path", "/u@b")}).path().view(), "/u@b");
  EXPECT_TRUE(head({field(":path", "who:secret@shop")}).path().empty());
  EXPECT_EQ(head({field(":authority", "me:secret@shop")}).host().view(), "shop");
  EXPECT_EQ(head({field("host", "shop")}).host().view(), "shop");
  EXPECT_TRUE(head({field(":protocol", "websocket")}).is_request());
  EXPECT_EQ(head({field("content-length", "99999999999999999999")}).content_length(),
            kUnknownBytes);
}

}  // namespace
}  // namespace exa::http2
