// What each policy means, against a plain computation of the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "agent/exemplars/policies/percentile.h"
#include "tests/unit/exemplars/policy_traffic.h"

namespace exa {
namespace {

using ::testing::Each;

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
    const auto policy = made_alone(cases[i].spec);
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
  constexpr std::size_t kLag = 10;  // values, after which a quantile is the present one's
  std::deque<std::uint64_t> last;
  std::deque<std::uint64_t> quantiles;  // before each of the last kLag values
  int admitted = 0;
  for (std::size_t i = 0; i < 20'000; ++i) {
    auto request = traffic.any();
    request.series = 1;
    if (i >= 10'000) request.took *= 3;  // what was rare becomes usual
    const auto value = static_cast<std::uint64_t>(request.took.count());
    const bool is_admitted = offered(*policy, request);
    admitted += is_admitted ? 1 : 0;
    if (i < Percentile::kLeast) {
      ASSERT_FALSE(is_admitted);
    } else {
      std::vector<std::uint64_t> sorted(last.begin(), last.end());
      std::ranges::sort(sorted);
      const auto rank = std::ceil(0.9 * static_cast<double>(sorted.size()));
      quantiles.push_back(sorted[static_cast<std::size_t>(rank) - 1]);
      if (quantiles.size() > kLag) quantiles.pop_front();
      const auto [least, most] = std::ranges::minmax(quantiles);
      ASSERT_TRUE(value <= most || is_admitted) << i;
      ASSERT_TRUE(value > least || !is_admitted) << i;
    }
    last.push_back(value);
    if (last.size() > 100) last.pop_front();
  }
  EXPECT_NEAR(admitted, 2'000, 250);
}

TEST(PolicyMeaning, APercentileOfAHundredValuesIsOneOfThem) {
  for (int percent = 1; percent < 100; ++percent) {
    const auto policy = made(policy::Percentile{.quantile = percent / 100.0, .last = 100});
    for (int i = 0; i < 100; ++i)
      offered(*policy, {.end = kStart, .took = Duration(1 + i * 37 % 100)});
    EXPECT_TRUE(offered(*policy, {.end = kStart, .took = Duration(percent + 1)})) << percent;
    EXPECT_FALSE(offered(*policy, {.end = kStart, .took = Duration(percent)})) << percent;
  }
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

// In its first second it admits everything.
bool is_settled(const Request& request) {
  return request.end >= kStart + Duration(20s);
}

TEST(PolicyMeaning, ARequestOfSeveralValuesCountsOnce) {
  Traffic traffic(10);
  const auto policy = made(policy::Adaptive{.per_second = 10});
  int admitted = 0;
  for (const auto& request : traffic.at_rate(500, Duration(120s), kStart)) {
    const bool as_duration = offered(*policy, request);
    EXPECT_EQ(offered(*policy, request, /*counts_requests=*/false), as_duration);
    admitted += as_duration && is_settled(request) ? 1 : 0;
  }
  EXPECT_NEAR(admitted, 1'000, 100);
}

// What an adaptive policy behind another one adds per second to what that decides.
double added_per_second(Policy& policy, bool where_slow) {
  Traffic traffic(11);
  int added = 0;
  auto requests = traffic.at_rate(1'000, Duration(120s), kStart);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].took = i % 20 == 0 ? 20ms : 1ms;
    const bool admitted = offered(policy, requests[i]);
    const bool is_slow = requests[i].took == 20ms;
    if (is_slow != where_slow) {
      EXPECT_EQ(admitted, is_slow) << "the other one decides";
    } else {
      added += admitted && is_settled(requests[i]) ? 1 : 0;
    }
  }
  return added / 100.0;
}

TEST(PolicyMeaning, AdaptsToWhatItIsAskedOf) {
  const auto all =
      made(policy::AllOf{{{policy::Outlier{10ms}}, {policy::Adaptive{.per_second = 10}}}});
  EXPECT_NEAR(added_per_second(*all, true), 10, 2) << "of the 50 slow ones per second";
  const auto any =
      made(policy::AnyOf{{{policy::Outlier{10ms}}, {policy::Adaptive{.per_second = 10}}}});
  EXPECT_NEAR(added_per_second(*any, false), 10, 2) << "beside the 50 slow ones per second";
}

TEST(PolicyMeaning, WhatAnotherPolicyDecidedUsesNothingUp) {
  const auto policy =
      made(policy::AllOf{{{policy::Outlier{10ms}}, {policy::TimeWindow{.most = 1, .per = 1s}}}});
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
    const auto policy = made_alone(spec);
    EXPECT_TRUE(offered(*policy, {.end = kStart}));
    EXPECT_FALSE(offered(*policy, {.end = kStart}));
    policy->forget(0);
    EXPECT_TRUE(offered(*policy, {.end = kStart}));
  }
}

TEST(PolicyMeaning, AQuantileIsForgottenWithItsSeries) {
  const auto policy = made(policy::Percentile{.quantile = 0.5, .last = 10});
  const auto teach = [&] {
    for (int i = 0; i < 10; ++i)
      EXPECT_FALSE(offered(*policy, {.end = kStart, .took = 5ms})) << "too few are known";
    EXPECT_TRUE(offered(*policy, {.end = kStart, .took = 6ms}));
  };
  teach();
  policy->forget(0);
  teach();
}

TEST(PolicyMeaning, ARateIsForgottenWithItsSeries) {
  const auto policy = made(policy::TrafficTiered{{{10, 1}}, 0});
  for (int i = 0; i < 20; ++i)
    offered(*policy, {.end = kStart});
  EXPECT_FALSE(offered(*policy, {.end = kStart}));
  policy->forget(0);
  EXPECT_TRUE(offered(*policy, {.end = kStart}));
}

}  // namespace
}  // namespace exa
