#include "agent/request_pipeline/span_traffic.h"

#include <gtest/gtest.h>

#include "synthetic_exchanges.h"

namespace exa {
namespace {

using testing::exchange_of;

Exchange post(const char* path, Role role = Role::kClient) {
  auto exchange = exchange_of({.role = role, .path = path});
  exchange.operation.method = Method::kPost;
  return exchange;
}

TEST(SpanTraffic, IsOtlpOverHttpAndOverGrpc) {
  EXPECT_TRUE(carries_spans(post("/v1/traces")));
  EXPECT_TRUE(carries_spans(post("/otlp/v1/traces")));
  EXPECT_FALSE(carries_spans(post("/v1/metrics")));
  EXPECT_FALSE(carries_spans(exchange_of({.path = "/v1/traces"}))) << "nobody gets spans";

  auto call = post("/opentelemetry.proto.collector.trace.v1.TraceService/Export");
  EXPECT_FALSE(carries_spans(call));
  call.operation.convention = Convention::kRpc;
  EXPECT_TRUE(carries_spans(call));
}

TEST(SpanTraffic, WhoAlsoReceivesSpansIsNoSdk) {
  SpanTraffic process;
  EXPECT_FALSE(process.of_sdk());
  process.note(post("/v1/traces"));
  EXPECT_TRUE(process.of_sdk());
  process.note(post("/v1/traces", Role::kServer));
  EXPECT_FALSE(process.of_sdk());
}

}  // namespace
}  // namespace exa
