// The conventions of RPC calls, as https://opentelemetry.io/docs/specs/semconv/rpc/ has them.
#include "agent/semantics/rpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace exa {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::Not;

constexpr std::string_view kPath = "/shop.Cart/Add";

Exchange call(Role role, std::uint16_t status, std::string_view path = kPath) {
  Exchange exchange;
  exchange.role = role;
  exchange.outcome = Outcome::kComplete;
  exchange.operation.convention = Convention::kRpc;
  exchange.operation.status = status;
  exchange.operation.name.assign(path);
  return exchange;
}
Exchange call(Role role, RpcStatus status, std::string_view path = kPath) {
  return call(role, status_of(status), path);
}

Attributes points_of(const Exchange& exchange) {
  const auto& semantics = semantics_of(Convention::kRpc);
  OperationKey key;
  semantics.fill_key(exchange, MetricKind::kServerDuration, key);
  return semantics.point_attributes(key,
                                    {.server = {}, .name = KeyText(semantics.key_name(exchange))},
                                    MetricKind::kServerDuration);
}
Attributes span_of(const Exchange& exchange) {
  const auto& semantics = semantics_of(Convention::kRpc);
  Attributes attributes;
  semantics.span_attributes(exchange, semantics.route(exchange), attributes);
  return attributes;
}
std::string span_name_of(const Exchange& exchange) {
  const auto& semantics = semantics_of(Convention::kRpc);
  return semantics.span_name(exchange, semantics.route(exchange));
}

TEST(RpcSemantics, ACallIsToldByItsMethodAndStatus) {
  const auto ok = call(Role::kServer, RpcStatus::kOk);
  const auto told = ElementsAre(Attribute{"rpc.system.name", std::string("grpc")},
                                Attribute{"rpc.method", std::string("shop.Cart/Add")},
                                Attribute{"rpc.status_code", std::string("OK")});
  EXPECT_THAT(points_of(ok), told);
  EXPECT_THAT(span_of(ok), told);
  EXPECT_EQ(span_name_of(ok), "shop.Cart/Add");
}

TEST(RpcSemantics, WhatIsAnErrorDependsOnTheEnd) {
  for (const auto& [status, text, at_server] :
       {std::tuple(RpcStatus::kNotFound, "NOT_FOUND", false),
        {RpcStatus::kCancelled, "CANCELLED", false},
        {RpcStatus::kUnauthenticated, "UNAUTHENTICATED", false},
        {RpcStatus::kUnknown, "UNKNOWN", true},
        {RpcStatus::kDeadlineExceeded, "DEADLINE_EXCEEDED", true},
        {RpcStatus::kInternal, "INTERNAL", true},
        {RpcStatus::kUnavailable, "UNAVAILABLE", true},
        {RpcStatus::kDataLoss, "DATA_LOSS", true}}) {
    const Attribute error{"error.type", std::string(text)};
    const Attribute code{"rpc.status_code", std::string(text)};
    EXPECT_THAT(points_of(call(Role::kClient, status)), Contains(error));
    EXPECT_THAT(points_of(call(Role::kServer, status)), Contains(code));
    if (at_server)
      EXPECT_THAT(points_of(call(Role::kServer, status)), Contains(error));
    else
      EXPECT_THAT(points_of(call(Role::kServer, status)), Not(Contains(error)));
  }
}

TEST(RpcSemantics, AMethodThatIsNotImplementedIsNotNamed) {
  const auto own = call(Role::kClient, RpcStatus::kUnimplemented);
  EXPECT_THAT(points_of(own), Not(Contains(Attribute{"rpc.method", std::string("_OTHER")})));
  const auto unknown = call(Role::kServer, RpcStatus::kUnimplemented);
  EXPECT_THAT(points_of(unknown), Contains(Attribute{"rpc.method", std::string("_OTHER")}));
  EXPECT_THAT(span_of(unknown), Contains(Attribute{"rpc.method", std::string("_OTHER")}));
  EXPECT_THAT(span_of(unknown),
              Contains(Attribute{"rpc.method_original", std::string("shop.Cart/Add")}));
  EXPECT_EQ(span_name_of(unknown), "grpc");
}

TEST(RpcSemantics, WhatIsNoMethodIsNotNamed) {
  const auto too_long = "/shop.Cart/" + std::string(200, 'x');
  for (const std::string_view path :
       {"/", "/shop", "//Add", "/shop/", "shop/Add", "/a b/c", too_long.c_str()}) {
    const auto odd = call(Role::kServer, RpcStatus::kOk, path);
    EXPECT_THAT(points_of(odd), Contains(Attribute{"rpc.method", std::string("_OTHER")})) << path;
    EXPECT_THAT(span_of(odd), Not(Contains(Field(&Attribute::key, "rpc.method_original"))));
  }
}

TEST(RpcSemantics, WhatIsNotKnownIsNotTold) {
  const auto joined = call(Role::kServer, std::uint16_t{0}, "");
  EXPECT_THAT(points_of(joined), ElementsAre(Attribute{"rpc.system.name", std::string("grpc")}));
  EXPECT_EQ(span_name_of(joined), "grpc");
  EXPECT_THAT(points_of(call(Role::kServer, std::uint16_t{100})),
              Contains(Attribute{"rpc.status_code", std::string("99")}))
      << "gRPC does not define it";
}

TEST(RpcSemantics, ACallThatBrokeOffIsAnError) {
  auto broken = call(Role::kClient, std::uint16_t{0});
  broken.outcome = Outcome::kAbortedByPeer;
  EXPECT_THAT(points_of(broken), Contains(Attribute{"error.type", std::string("aborted")}));
  EXPECT_THAT(points_of(broken), Not(Contains(Field(&Attribute::key, "rpc.status_code"))));
}

}  // namespace
}  // namespace exa
