// Policies say what may compete, and the sampler chooses among that as it does among all.
#include <gmock/gmock.h>

#include <map>
#include <random>

#include "agent/trace/ids/randomness.h"
#include "tests/unit/exemplars/sampler_fixture.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Policies : public SamplerFixture {
 protected:
  static std::vector<std::uint64_t> chosen(const Selection& selection) {
    std::vector<std::uint64_t> all;
    for (const auto& exchange : selection.exchanges)
      all.push_back(exchange.exchange.randomness);
    return all;
  }
};

TEST_F(Policies, WhatIsNotAdmittedIsCountedAndNotChosen) {
  configure({.policies = {.policy = {policy::Never{}}, .rules = {}}, .floor_probability = 0});
  send({.duration = 1ms, .randomness = 9});
  send({.duration = 900ms, .status = 500, .randomness = 8});
  EXPECT_EQ(registry.at(registry.active()[0]).delta.count(), 1u);
  const auto selection = close();
  EXPECT_THAT(selection.winners, IsEmpty());
  EXPECT_THAT(selection.exchanges, IsEmpty());
}

TEST_F(Policies, TheFloorIsBesideThem) {
  configure({.policies = {.policy = {policy::Never{}}, .rules = {}}, .floor_probability = 0.5});
  send({.duration = 1ms, .randomness = kRandomnessMask});
  const auto selection = close();
  EXPECT_THAT(selection.winners, IsEmpty());
  EXPECT_THAT(chosen(selection), ElementsAre(kRandomnessMask));
}

TEST_F(Policies, RememberEachSeriesUntilItIsForgotten) {
  configure(
      {.policies = {.policy = {policy::FirstOfBucket{}}, .rules = {}}, .floor_probability = 0});
  for (const TargetId target : {1, 2}) {
    send({.duration = 1ms, .randomness = 10 * target, .target = target});
    send({.duration = 1ms, .randomness = 90, .target = target});
    send({.duration = 60ms, .randomness = 10 * target + 1, .target = target});
    send({.duration = 61ms, .randomness = 91, .target = target});
  }
  EXPECT_THAT(chosen(close()), ::testing::UnorderedElementsAre(10, 11, 20, 21));
  // In the next window each bucket has a first one again.
  send({.duration = 1ms, .randomness = 1});
  send({.duration = 1ms, .randomness = 2});
  const auto series = registry.active()[0];
  // And what takes the place of a series that is gone has a memory of its own.
  sampler->forget(series);
  send({.duration = 1ms, .randomness = 3});
  EXPECT_THAT(chosen(close()), ElementsAre(3));
}

TEST_F(Policies, AShareDrawnFromRIsTheSameTracesInEveryOrder) {
  configure(
      {.policies = {.policy = {policy::Probability{0.25}}, .rules = {}}, .floor_probability = 0});
  std::mt19937_64 random(5);
  std::vector<Request> requests;
  for (int i = 0; i < 4'000; ++i)
    requests.push_back(
        {.duration = 1ms * (1 + random() % 2'000), .randomness = random() & kRandomnessMask});
  const auto choice_of = [&] {
    for (const auto& request : requests)
      send(request);
    return close();
  };
  const auto first = choice_of();
  std::ranges::shuffle(requests, random);
  const auto second = choice_of();

  EXPECT_THAT(chosen(first), ::testing::UnorderedElementsAreArray(chosen(second)));
  std::uint64_t admitted = 0;
  for (const auto& winner : first.winners) {
    EXPECT_GE(first.exchanges[winner.exchange].exchange.randomness, randomness_threshold(0.25));
    if (winner.reason == ExemplarReason::kBucket) admitted += winner.weight;
  }
  EXPECT_NEAR(static_cast<double>(admitted), 1'000, 100);
}

TEST_F(Policies, ErrorsThatMayNotCompeteStillMoveTheirSeries) {
  configure({.policies = {.policy = {policy::Probability{0.25}}, .rules = {}},
             .spans_per_window = 2,
             .burst_spans = 2,
             .floor_probability = 0});
  const auto send_window = [&](int failing) {
    for (const TargetId target : {1, 2})
      send({.duration = 1ms, .randomness = kRandomnessMask - target, .target = target});
    for (int i = 0; i < failing; ++i)
      send({.duration = 1ms, .status = 503, .randomness = 1, .target = 2});
  };
  // given two series that are served the same, the first of them first
  for (int i = 0; i < 20; ++i) {
    send_window(0);
    const auto selection = close();
    if (i == 19) {
      ASSERT_EQ(selection.exchanges.at(0).exchange.target, 1u);
    }
  }
  // when requests of the second one fail, none of them admitted
  send_window(9);
  // then the second one comes first
  const auto selection = close();
  EXPECT_THAT(selection.exchanges, SizeIs(2));
  EXPECT_EQ(selection.exchanges.at(0).exchange.target, 2u);
}

}  // namespace
}  // namespace exa
