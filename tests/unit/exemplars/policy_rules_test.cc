// Whose policy a request meets, what rules remember and count, and what they have in common.
#include "agent/exemplars/policy_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "tests/unit/exemplars/policy_traffic.h"

namespace exa {
namespace {

TEST(ErrorBoost, ErrorsAndSlowRequestsHaveSharesOfTheirOwn) {
  Traffic traffic(9);
  const policy::ErrorBoost spec{.base = 0.01, .error = 0.5, .slow = 0.25, .slow_from = 1s};
  PolicyRules rules({.policy = {spec}, .rules = {}});
  int counted[3] = {};
  int admitted[3] = {};
  for (int i = 0; i < 60'000; ++i) {
    Request request{.end = kStart, .randomness = traffic.randomness()};
    // One in twenty fails: too few for everything.
    const int kind = i % 20 == 0 ? 1 : i % 20 == 1 ? 2 : 0;
    request.is_error = kind == 1;
    if (kind == 2) request.took = 2s;
    ++counted[kind];
    admitted[kind] += offered(rules, request) ? 1 : 0;
  }
  EXPECT_NEAR(1.0 * admitted[0] / counted[0], 0.01, 0.003);
  EXPECT_NEAR(1.0 * admitted[1] / counted[1], 0.5, 0.04);
  EXPECT_NEAR(1.0 * admitted[2] / counted[2], 0.25, 0.04);
}

TEST(ErrorBoost, WhereMoreThanATenthFailsEverythingIsAdmitted) {
  PolicyRules rules(
      {.policy = {policy::ErrorBoost{.base = 0, .error = 0, .slow = 0}}, .rules = {}});
  const auto send = [&](bool is_error, TargetId target) {
    return offered(rules, {.end = kStart, .is_error = is_error, .target = target});
  };
  for (int i = 0; i < 40; ++i)
    EXPECT_FALSE(send(i < 2, 1));
  for (int i = 0; i < 3; ++i)
    send(true, 1);
  EXPECT_TRUE(send(false, 1)) << "5 of 44";
  EXPECT_FALSE(send(false, 2)) << "another process";
  rules.begin_window();
  EXPECT_TRUE(send(false, 1)) << "remembered, by half";
  for (int i = 0; i < 50; ++i)
    send(false, 1);
  EXPECT_FALSE(send(false, 1)) << "it recovers";
}

class Rules : public ::testing::Test {
 protected:
  static bool admitted(PolicyRules& rules, const Exchange& exchange, std::string_view service) {
    return rules.admits({.service = service, .exchange = exchange});
  }
  static Exchange request(std::string_view path, Method method = Method::kGet,
                          std::uint16_t port = 80) {
    Exchange exchange;
    exchange.role = Role::kServer;
    exchange.operation.method = method;
    exchange.operation.name.assign(path);
    exchange.local.port = port;
    exchange.remote.port = 50'000;
    exchange.read = exchange.last_response = kStart;
    return exchange;
  }
};

TEST_F(Rules, TheFirstThatIsMetCounts) {
  PolicyRules rules(
      {.policy = {policy::Never{}},
       .rules = {{.service = "shop", .route = "/private/", .policy = {policy::Never{}}},
                 {.service = "shop", .policy = {policy::Always{}}},
                 {.route = "/api/", .method = "POST", .policy = {policy::Always{}}},
                 {.port = 8'080, .policy = {policy::Always{}}}}});
  EXPECT_FALSE(admitted(rules, request("/private/x"), "shop"));
  EXPECT_TRUE(admitted(rules, request("/x"), "shop"));
  EXPECT_FALSE(admitted(rules, request("/x"), "shopping"));
  EXPECT_TRUE(admitted(rules, request("/api/x", Method::kPost), "other"));
  EXPECT_FALSE(admitted(rules, request("/api/x"), "other"));
  EXPECT_TRUE(admitted(rules, request("/x", Method::kGet, 8'080), "other"));
  auto call = request("/x");
  call.role = Role::kClient;
  EXPECT_FALSE(admitted(rules, call, "other"));
  call.remote.port = 8'080;
  EXPECT_TRUE(admitted(rules, call, "other")) << "a client's port is its server's";

  const auto totals = rules.totals();
  ASSERT_EQ(totals.size(), 5u);
  EXPECT_EQ(totals[0].refused, 1u);
  EXPECT_EQ(totals[1].admitted, 1u);
  EXPECT_EQ(totals[2].admitted, 1u);
  EXPECT_EQ(totals[3].admitted, 2u);
  EXPECT_EQ(totals[4].refused, 3u);
  EXPECT_EQ(totals[4].rule, "default");
}

TEST_F(Rules, MethodsWithoutANameOfTheirOwnAreMetAsTheyWereSent) {
  PolicyRules rules(
      {.policy = {policy::Never{}}, .rules = {{.method = "PURGE", .policy = {policy::Always{}}}}});
  auto purge = request("/x", Method::kOther);
  purge.operation.method_original.assign("PURGE");
  EXPECT_TRUE(admitted(rules, purge, ""));
  purge.operation.method_original.assign("BAN");
  EXPECT_FALSE(admitted(rules, purge, ""));
}

TEST_F(Rules, EachHasAMemoryOfItsOwn) {
  PolicyRules rules(
      {.policy = {policy::TimeWindow{.most = 1, .per = 1h}},
       .rules = {{.port = 80, .policy = {policy::TimeWindow{.most = 1, .per = 1h}}}}});
  EXPECT_TRUE(admitted(rules, request("/x"), ""));
  EXPECT_FALSE(admitted(rules, request("/x"), ""));
  EXPECT_TRUE(admitted(rules, request("/x", Method::kGet, 81), ""));
}

PolicyRule ruled(std::string text, PolicyRule rule) {
  rule.text = std::move(text);
  return rule;
}

TEST_F(Rules, ThatStayKeepWhatTheyRememberAndCount) {
  const PolicySpec once{policy::TimeWindow{.most = 1, .per = 1h}};
  const auto shop = ruled("port=80 -> once", {.port = 80, .policy = once});
  const auto other = ruled("port=81 -> once", {.port = 81, .policy = once});
  PolicyRules rules({.policy = once, .rules = {shop, other}});
  for (const std::uint16_t port : {80, 81, 82})
    EXPECT_TRUE(admitted(rules, request("/x", Method::kGet, port), ""));
  // when one goes, one stays elsewhere, one comes, and that of all others changes
  const auto added = ruled("port=83 -> once", {.port = 83, .policy = once});
  rules.use({.policy = {policy::Always{}}, .rules = {added, shop}});
  EXPECT_FALSE(admitted(rules, request("/x", Method::kGet, 80), "")) << "it remembers";
  EXPECT_TRUE(admitted(rules, request("/x", Method::kGet, 83), ""));
  EXPECT_TRUE(admitted(rules, request("/x", Method::kGet, 82), ""));

  const auto totals = rules.totals();
  ASSERT_EQ(totals.size(), 3u);
  EXPECT_EQ(totals[0].rule, "port=83 -> once");
  EXPECT_EQ(totals[0].admitted, 1u);
  EXPECT_EQ(totals[1].admitted, 1u);
  EXPECT_EQ(totals[1].refused, 1u);
  EXPECT_EQ(totals[2].rule, "default");
  EXPECT_EQ(totals[2].admitted, 2u) << "it goes on counting";
  // when it comes back, it has nothing to remember
  rules.use({.policy = once, .rules = {other}});
  EXPECT_TRUE(admitted(rules, request("/x", Method::kGet, 81), ""));
}

TEST_F(Rules, RatiosOfErrorsAreOnesOfProcessesWhateverTheirRules) {
  const PolicySpec boosted{policy::ErrorBoost{.base = 0, .error = 0, .slow = 0}};
  const PolicySettings settings{
      .policy = boosted, .rules = {ruled("port=80 -> boosted", {.port = 80, .policy = boosted})}};
  PolicyRules rules(settings);
  const auto failed = [&](std::uint16_t port, bool counts_requests) {
    const auto exchange = request("/x", Method::kGet, port);
    return rules.admits(
        {.is_error = true, .counts_requests = counts_requests, .exchange = exchange});
  };
  for (int i = 0; i < 19; ++i) {
    EXPECT_FALSE(failed(80, true));
    EXPECT_FALSE(failed(80, false)) << "of the same request";
  }
  EXPECT_TRUE(failed(81, true)) << "the twentieth";
  EXPECT_TRUE(failed(80, false));
  rules.use({.policy = boosted, .rules = {}});
  EXPECT_TRUE(failed(80, false)) << "and they stay known";
}

TEST_F(Rules, OtherMethodsHaveANameTogether) {
  PolicyRules rules(
      {.policy = {policy::Never{}}, .rules = {{.method = "_OTHER", .policy = {policy::Always{}}}}});
  EXPECT_TRUE(admitted(rules, request("/x", Method::kOther), ""));
  EXPECT_FALSE(admitted(rules, request("/x", Method::kGet), ""));
}

}  // namespace
}  // namespace exa
