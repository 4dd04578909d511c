#include "agent/request_pipeline/end_links.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

// caller -> proxy: A. proxy -> service: B. Each has two ends; the proxy passes its context on.
class Links : public testing::Test {
 protected:
  static constexpr std::uint16_t kProxy = 80;
  static constexpr std::uint16_t kService = 8080;

  static WindowSpan end(Role role, std::uint16_t caller, std::uint16_t server, std::uint8_t id) {
    WindowSpan span;
    auto& exchange = span.exchange;
    exchange.role = role;
    exchange.local.port = role == Role::kClient ? caller : server;
    exchange.remote.port = role == Role::kClient ? server : caller;
    exchange.request_sequence = 5'000;
    exchange.has_context = true;
    exchange.trace_id.bytes[0] = 1;
    exchange.parent_span_id.bytes[0] = 99;
    exchange.span_id.bytes[0] = id;
    exchange.number = id;
    return span;
  }
  WindowSpan a_client = end(Role::kClient, 40'000, kProxy, 1);
  WindowSpan a_server = end(Role::kServer, 40'000, kProxy, 2);
  WindowSpan b_client = end(Role::kClient, 50'000, kService, 3);
  WindowSpan b_server = end(Role::kServer, 50'000, kService, 4);

  Links() { b_client.exchange.within = a_server.exchange.number; }

  static void expect_child(const WindowSpan& child, SpanLink link, const WindowSpan& parent) {
    EXPECT_EQ(child.purpose.link, link);
    EXPECT_EQ(child.purpose.parent, parent.exchange.span_id);
  }
  EndLinks links;
};

TEST_F(Links, MakeATreeOfTheTraceOfAProxy) {
  std::vector<WindowSpan> spans{b_server, b_client, a_server, a_client};
  links.link(spans);
  expect_child(spans[0], SpanLink::kConnection, b_client);
  expect_child(spans[1], SpanLink::kContext, a_server);
  expect_child(spans[2], SpanLink::kConnection, a_client);
  EXPECT_EQ(spans[3].purpose.link, SpanLink::kNone) << "its parent is whoever made the context";
  for (const auto& span : spans)
    EXPECT_EQ(span.exchange.parent_span_id.bytes[0], 99) << "what the request carried stays known";
}

TEST_F(Links, LeadToTheWindowBefore) {
  std::vector<WindowSpan> first{b_client};
  std::vector<WindowSpan> second{b_server, a_server};
  links.link(first);
  EXPECT_EQ(first[0].purpose.link, SpanLink::kNone) << "what it is part of may never be exported";
  links.link(second);
  expect_child(second[0], SpanLink::kConnection, b_client);
  std::vector<WindowSpan> third{b_server};
  links.link(third);
  EXPECT_EQ(third[0].purpose.link, SpanLink::kNone);
}

TEST_F(Links, ASpanThatIsNotExportedIsNobodysParent) {
  std::vector<WindowSpan> spans{b_server, b_client};
  links.link(spans);
  EXPECT_EQ(spans[1].purpose.link, SpanLink::kNone);
}

TEST_F(Links, AnotherContextOnTheWayIsNoLink) {
  for (const bool another_parent : {true, false}) {
    auto changed = a_server;
    if (another_parent)
      changed.exchange.parent_span_id.bytes[0] = 98;
    else
      changed.exchange.trace_id.bytes[0] = 2;
    std::vector<WindowSpan> spans{a_client, changed};
    links.link(spans);
    EXPECT_EQ(spans[1].purpose.link, SpanLink::kNone);
  }
}

TEST_F(Links, AreOfOneConnection) {
  b_server.exchange.request_sequence = 6'000;
  std::vector<WindowSpan> spans{b_client, b_server};
  links.link(spans);
  EXPECT_EQ(spans[1].purpose.link, SpanLink::kNone);
}

TEST_F(Links, ByTheThreadSaySo) {
  std::vector<WindowSpan> spans{b_server, b_client, a_server};
  for (auto& span : spans) {
    span.exchange.has_context = false;
    span.exchange.parent_span_id = {};
  }
  links.link(spans);
  expect_child(spans[0], SpanLink::kConnection, b_client);
  expect_child(spans[1], SpanLink::kThread, a_server);
}

TEST_F(Links, ThatAreNotKnownAreNone) {
  b_client.exchange.within = 0;
  a_server.exchange.number = 0;
  std::vector<WindowSpan> spans{b_client, a_server};
  links.link(spans);
  EXPECT_EQ(spans[0].purpose.link, SpanLink::kNone);
}

}  // namespace
}  // namespace exa
