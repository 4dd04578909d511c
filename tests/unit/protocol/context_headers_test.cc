// That heads hand over the headers of every propagator that is read.
#include <gtest/gtest.h>

#include <string>

#include "agent/protocol/http1/head.h"
#include "tests/support/all_propagators.h"

namespace exa::http1 {
namespace {

const ContextHeaders kContexts(kAllPropagators);

struct Request {
  explicit Request(const std::string& fields)
      : bytes("GET / HTTP/1.1\r\nHost: a\r\n" + fields),
        result(parse_request_head(bytes, kContexts, head)) {}
  std::string bytes;
  RequestHead head;
  ParseResult result;
};

TEST(ContextHeaders, AreReadForEveryPropagator) {
  const auto trace_of = [](const std::string& fields) {
    const auto context = Request(fields + "\r\n").head.context.context();
    return context ? to_hex(context->trace_id) : "none";
  };
  EXPECT_EQ(trace_of("B3: 463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-d \r\n"),
            "463ac35c9f6413ad48485a3953bb6124");
  EXPECT_EQ(trace_of("X-B3-TraceId: 48485a3953bb6124\r\nX-B3-SpanId:\ta2fb4a1d1a96d312\r\n"),
            "000000000000000048485a3953bb6124");
  EXPECT_EQ(trace_of("uber-trace-id: ABC:def:0:1\r\n"), "00000000000000000000000000000abc");
  EXPECT_EQ(trace_of("X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;"
                     "Parent=53995c3f42cd8ad8;Sampled=1\r\n"),
            "5759e988bd862e3fe1be46a994272793");
  EXPECT_EQ(trace_of("x-datadog-tags: _dd.p.dm=-1,_dd.p.tid=640cfd8d00000000\r\n"
                     "x-datadog-trace-id: 1\r\nx-datadog-parent-id: 2\r\n"),
            "640cfd8d000000000000000000000001");
  EXPECT_EQ(trace_of("B3: 463ac35c9f6413ad48485a3953bb6124\r\n -a2fb4a1d1a96d312\r\n"), "none")
      << "folded";
}

TEST(ContextHeaders, OfACutHeadHalfATraceIdIsUnknown) {
  const std::string half = "x-datadog-trace-id: 1\r\nx-datadog-parent-id: 2\r\n";
  const auto state_of_cut = [](const std::string& text) {
    Request request(text);
    EXPECT_EQ(request.result.status, ParseStatus::kNeedMore);
    EXPECT_TRUE(cut_request_head(request.bytes, request.head));
    return request.head.context.state();
  };
  EXPECT_EQ(state_of_cut(half + "x-datadog-ta"), ContextState::kUnknown);
  EXPECT_EQ(state_of_cut(half + "x-datadog-tags: a=b\r\nAcc"), ContextState::kValid);
  EXPECT_EQ(Request(half + "\r\n").head.context.state(), ContextState::kValid);
}

}  // namespace
}  // namespace exa::http1
