// What each policy means, against a plain computation of the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <functional>
#include <random>
#include <set>
#include <vector>

#include "agent/exemplars/policies/make_policy.h"
#include "agent/exemplars/policy_rules.h"
#include "agent/exemplars/randomness.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::Each;

struct Request {
  MonotonicTime end;
  Duration took = 1ms;
  std::uint64_t randomness = 0;
  SeriesIndex series = 0;
  std::uint8_t bucket = 0;
  bool is_error = false;
  TargetId target = 1;
  bool sampled = false;
  std::string path = "/";

  [[nodiscard]] Exchange exchange() const {
    Exchange made;
    made.role = Role::kServer;
    made.target = target;
    made.read = {end.ns - static_cast<std::uint64_t>(took.count())};
    made.last_response = end;
    made.randomness = randomness;
    made.has_context = sampled;
    made.trace_flags = sampled ? kTraceSampled : 0;
    made.operation.name.assign(path);
    return made;
  }
};

bool offered(Policy& policy, const Request& request) {
  const auto exchange = request.exchange();
  const Offer offer{.series = request.series,
                    .bucket = request.bucket,
                    .is_error = request.is_error,
                    .value = static_cast<std::uint64_t>(request.took.count()),
                    .exchange = exchange};
  policy.see(offer);
  return policy.admits(offer);
}

template <typename Spec>
std::unique_ptr<Policy> made(Spec spec) {
  return make_policy({std::move(spec)});
}

class Traffic {
 public:
  explicit Traffic(std::uint64_t seed) : random_(seed) {}
  std::uint64_t randomness() { return random_() & kRandomnessMask; }
  double uniform() { return std::uniform_real_distribution(0.0, 1.0)(random_); }
  // Evenly so many per second, from then on.
  std::vector<Request> at_rate(double per_second, Duration lasting, MonotonicTime from) {
    std::vector<Request> all;
    const auto count = static_cast<int>(per_second * seconds(lasting));
    for (int i = 0; i < count; ++i)
      all.push_back({.end = from + Duration(static_cast<std::int64_t>(1e9 * i / per_second)),
                     .randomness = randomness()});
    return all;
  }
  // Anything.
  Request any() {
    now_ = now_ + Duration(static_cast<std::int64_t>(uniform() * 2e6));
    return {.end = now_,
            .took = Duration(static_cast<std::int64_t>(std::exp(uniform() * 14) * 1e3)),
            .randomness = randomness(),
            .series = static_cast<SeriesIndex>(random_() % 3),
            .bucket = static_cast<std::uint8_t>(random_() % 15),
            .is_error = random_() % 5 == 0,
            .target = static_cast<TargetId>(1 + random_() % 2),
            .sampled = random_() % 2 == 0,
            .path = random_() % 2 == 0 ? "/admin/x" : "/shop"};
  }

 private:
  std::mt19937_64 random_;
  MonotonicTime now_{10'000'000'000};
};

constexpr MonotonicTime kStart{100'000'000'000};

double share_admitted(Policy& policy, const std::vector<Request>& requests) {
  const auto admitted =
      std::ranges::count_if(requests, [&](const auto& one) { return offered(policy, one); });
  return static_cast<double>(admitted) / static_cast<double>(requests.size());
}

TEST(PolicyMeaning, OfThoseThatRememberNothing) {
  Traffic traffic(1);
  const auto threshold = [](double share) { return randomness_threshold(share); };
  struct Case {
    PolicySpec spec;
    std::function<bool(const Request&)> meaning;
  };
  const std::vector<Case> cases = {
      {{policy::Always{}}, [](const auto&) { return true; }},
      {{policy::Never{}}, [](const auto&) { return false; }},
      {{policy::TraceBased{}}, [](const auto& r) { return r.sampled; }},
      {{policy::Probability{0.2}}, [&](const auto& r) { return r.randomness >= threshold(0.2); }},
      {{policy::Outlier{5ms}}, [](const auto& r) { return r.took > 5ms; }},
      {{policy::PathPrefix{"/admin/"}}, [](const auto& r) { return r.path == "/admin/x"; }},
      {{policy::LatencyTiered{{{1ms, 0.1}, {50ms, 1}}}},
       [&](const auto& r) {
         if (r.took >= 50ms) return true;
         return r.took >= 1ms && r.randomness >= threshold(0.1);
       }},
      {{policy::AnyOf{{{policy::Outlier{5ms}}, {policy::TraceBased{}}}}},
       [](const auto& r) { return r.took > 5ms || r.sampled; }},
      {{policy::AllOf{{{policy::Outlier{5ms}}, {policy::TraceBased{}}}}},
       [](const auto& r) { return r.took > 5ms && r.sampled; }},
      {{policy::AllOf{{{policy::AnyOf{{{policy::Never{}}, {policy::PathPrefix{"/admin/"}}}}},
                       {policy::Probability{0.5}}}}},
       [&](const auto& r) { return r.path == "/admin/x" && r.randomness >= threshold(0.5); }},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto policy = make_policy(cases[i].spec);
    int admitted = 0;
    for (int n = 0; n < 2'000; ++n) {
      const auto request = traffic.any();
      const bool expected = cases[i].meaning(request);
      ASSERT_EQ(offered(*policy, request), expected) << "case " << i;
      admitted += expected ? 1 : 0;
    }
    EXPECT_EQ(admitted > 0, i != 1) << "case " << i;
  }
}

TEST(PolicyMeaning, AProbabilityIsThatShareAndTheSmallerIsPartOfTheLarger) {
  Traffic traffic(2);
  std::vector<Request> requests;
  for (int i = 0; i < 100'000; ++i)
    requests.push_back(traffic.any());
  std::set<std::uint64_t> larger;
  for (const double share : {0.5, 0.1, 0.01}) {
    const auto policy = made(policy::Probability{share});
    std::set<std::uint64_t> admitted;
    for (const auto& request : requests)
      if (offered(*policy, request)) admitted.insert(request.randomness);
    const auto deviation = std::sqrt(share * (1 - share) * 100'000);
    EXPECT_NEAR(static_cast<double>(admitted.size()), share * 100'000, 4 * deviation);
    EXPECT_TRUE(larger.empty() || std::ranges::includes(larger, admitted));
    larger = std::move(admitted);
  }
}

TEST(PolicyMeaning, TheFirstOfEachBucketOfASeriesInAWindow) {
  Traffic traffic(3);
  const auto policy = made(policy::FirstOfBucket{});
  for (int window = 0; window < 20; ++window) {
    std::set<std::pair<SeriesIndex, int>> seen;
    for (int i = 0; i < 200; ++i) {
      const auto request = traffic.any();
      ASSERT_EQ(offered(*policy, request), seen.emplace(request.series, request.bucket).second);
    }
    policy->begin_window();
  }
}

TEST(PolicyMeaning, NeverMoreThanSoManyInATime) {
  Traffic traffic(4);
  const auto policy = made(policy::TimeWindow{.most = 7, .per = 20ms});
  std::map<SeriesIndex, std::vector<MonotonicTime>> admitted;
  for (int i = 0; i < 20'000; ++i) {
    const auto request = traffic.any();
    auto& times = admitted[request.series];
    const auto lately = std::ranges::count_if(
        times, [&](MonotonicTime time) { return elapsed(time, request.end) < 20ms; });
    const bool expected = lately < 7;
    ASSERT_EQ(offered(*policy, request), expected);
    if (expected) times.push_back(request.end);
  }
}

TEST(PolicyMeaning, AboveTheQuantileOfTheLastValues) {
  Traffic traffic(5);
  const auto policy = made(policy::Percentile{.quantile = 0.9, .last = 100});
  std::vector<std::uint64_t> values;
  std::uint64_t above = UINT64_MAX;
  std::size_t update_at = 10;
  int admitted = 0;
  for (std::size_t i = 0; i < 20'000; ++i) {
    auto request = traffic.any();
    request.series = 1;
    if (values.size() == update_at) {
      std::vector<std::uint64_t> last(values.end() - static_cast<std::ptrdiff_t>(
                                                         std::min<std::size_t>(100, update_at)),
                                      values.end());
      std::ranges::sort(last);
      above = last[static_cast<std::size_t>(std::ceil(0.9 * static_cast<double>(last.size()))) - 1];
      update_at += last.size();
    }
    const auto value = static_cast<std::uint64_t>(request.took.count());
    ASSERT_EQ(offered(*policy, request), value > above) << i;
    values.push_back(value);
    ASSERT_TRUE(i >= 10 || above == UINT64_MAX);
    admitted += value > above ? 1 : 0;
  }
  EXPECT_NEAR(admitted, 2'000, 200);
}

TEST(PolicyMeaning, TheMoreTrafficASeriesHasTheSmallerIsItsShare) {
  Traffic traffic(6);
  for (const auto& [rate, share] :
       {std::pair(5.0, 1.0), std::pair(50.0, 0.1), std::pair(500.0, 0.01), std::pair(5e3, 0.001)}) {
    const auto policy = made(policy::TrafficTiered{});
    // A rate is known after a second.
    share_admitted(*policy, traffic.at_rate(rate, 2s, kStart));
    const auto requests = traffic.at_rate(rate, Duration(100s), kStart + Duration(2s));
    const auto deviation = std::sqrt(share * (1 - share) / static_cast<double>(requests.size()));
    EXPECT_NEAR(share_admitted(*policy, requests), share, 4 * deviation) << rate;
  }
}

// Samples per second in each window of ten seconds.
std::vector<double> adapted(Policy& policy, Traffic& traffic, double rate, int windows,
                            MonotonicTime& now) {
  std::vector<double> all;
  for (int window = 0; window < windows; ++window) {
    const auto requests = traffic.at_rate(rate, Duration(10s), now);
    all.push_back(share_admitted(policy, requests) * rate);
    now = now + Duration(10s);
    policy.begin_window();
  }
  return all;
}

TEST(PolicyMeaning, AdaptsToATargetWhateverTheTraffic) {
  Traffic traffic(7);
  const auto policy = made(policy::Adaptive{.per_second = 10});
  auto now = kStart;
  for (const double rate : {50.0, 5'000.0, 50.0}) {  // up by 100, and down again
    const auto windows = adapted(*policy, traffic, rate, 25, now);
    // Within five windows it has settled, and stays.
    double sum = 0;
    for (std::size_t i = 5; i < windows.size(); ++i) {
      EXPECT_NEAR(windows[i], 10, 3) << rate << " window " << i;
      sum += windows[i];
    }
    EXPECT_NEAR(sum / 20, 10, 1) << rate;
  }
}

TEST(PolicyMeaning, AdaptsWithinItsBounds) {
  Traffic traffic(8);
  auto now = kStart;
  const auto few = made(policy::Adaptive{.per_second = 10});
  EXPECT_THAT(adapted(*few, traffic, 4, 3, now), Each(4.0)) << "all of them are too few";
  const auto many = made(policy::Adaptive{.per_second = 1, .least = 0.1, .most = 0.5});
  for (const auto rate : adapted(*many, traffic, 1'000, 5, now))
    EXPECT_NEAR(rate, 100, 40) << "the least share";
}

TEST(PolicyMeaning, ErrorsAndSlowRequestsHaveSharesOfTheirOwn) {
  Traffic traffic(9);
  const policy::ErrorBoost spec{.base = 0.01, .error = 0.5, .slow = 0.25, .slow_from = 1s};
  const auto policy = made(spec);
  int counted[3] = {};
  int admitted[3] = {};
  for (int i = 0; i < 60'000; ++i) {
    Request request{.end = kStart, .randomness = traffic.randomness()};
    // One in twenty fails: too few for everything.
    const int kind = i % 20 == 0 ? 1 : i % 20 == 1 ? 2 : 0;
    request.is_error = kind == 1;
    if (kind == 2) request.took = 2s;
    ++counted[kind];
    admitted[kind] += offered(*policy, request) ? 1 : 0;
  }
  EXPECT_NEAR(1.0 * admitted[0] / counted[0], 0.01, 0.003);
  EXPECT_NEAR(1.0 * admitted[1] / counted[1], 0.5, 0.04);
  EXPECT_NEAR(1.0 * admitted[2] / counted[2], 0.25, 0.04);
}

TEST(PolicyMeaning, WhereMoreThanATenthFailsEverythingIsAdmitted) {
  const auto policy = made(policy::ErrorBoost{.base = 0, .error = 0, .slow = 0});
  const auto send = [&](bool is_error, TargetId target) {
    return offered(*policy, {.end = kStart, .is_error = is_error, .target = target});
  };
  for (int i = 0; i < 40; ++i)
    EXPECT_FALSE(send(i < 2, 1));
  for (int i = 0; i < 3; ++i)
    send(true, 1);
  EXPECT_TRUE(send(false, 1)) << "5 of 44";
  EXPECT_FALSE(send(false, 2)) << "another process";
  policy->begin_window();
  EXPECT_TRUE(send(false, 1)) << "remembered, by half";
  for (int i = 0; i < 50; ++i)
    send(false, 1);
  EXPECT_FALSE(send(false, 1)) << "it recovers";
}

TEST(PolicyMeaning, WhatAnotherPolicyDecidedUsesNothingUp) {
  const auto policy = made(
      policy::AllOf{{{policy::Outlier{10ms}}, {policy::TimeWindow{.most = 1, .per = 1s}}}});
  EXPECT_FALSE(offered(*policy, {.end = kStart, .took = 1ms}));
  EXPECT_TRUE(offered(*policy, {.end = kStart, .took = 20ms}));
  EXPECT_FALSE(offered(*policy, {.end = kStart, .took = 20ms}));
}

TEST(PolicyMeaning, WhatAnotherPolicyDecidedIsSeenAllTheSame) {
  const auto policy = made(
      policy::AnyOf{{{policy::TraceBased{}}, {policy::Percentile{.quantile = 0.5, .last = 10}}}});
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(offered(*policy, {.end = kStart, .took = 5ms, .sampled = true}));
  EXPECT_TRUE(offered(*policy, {.end = kStart, .took = 6ms}));
  EXPECT_FALSE(offered(*policy, {.end = kStart, .took = 5ms}));
}

TEST(PolicyMeaning, ASeriesThatIsForgottenLeavesNothingToItsSuccessor) {
  const std::vector<PolicySpec> remembering = {{policy::FirstOfBucket{}},
                                               {policy::TimeWindow{.most = 1, .per = 1h}}};
  for (const auto& spec : remembering) {
    const auto policy = make_policy(spec);
    EXPECT_TRUE(offered(*policy, {.end = kStart}));
    EXPECT_FALSE(offered(*policy, {.end = kStart}));
    policy->forget(0);
    EXPECT_TRUE(offered(*policy, {.end = kStart}));
  }
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
  PolicyRules rules({.policy = {policy::Never{}},
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
  PolicyRules rules({.policy = {policy::TimeWindow{.most = 1, .per = 1h}},
                     .rules = {{.port = 80, .policy = {policy::TimeWindow{.most = 1, .per = 1h}}}}});
  EXPECT_TRUE(admitted(rules, request("/x"), ""));
  EXPECT_FALSE(admitted(rules, request("/x"), ""));
  EXPECT_TRUE(admitted(rules, request("/x", Method::kGet, 81), ""));
}

}  // namespace
}  // namespace exa
