#include "agent/exemplars/exemplar_sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "agent/exemplars/relatives.h"
#include "tests/unit/exemplars/sampler_fixture.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Sampler = SamplerFixture;

TEST_F(Sampler, ExplainsEachBucketByItsLargestRAndTheSeriesByItsSlowest) {
  send({.duration = 1ms, .randomness = 10});
  send({.duration = 2ms, .randomness = 30});
  send({.duration = 3ms, .randomness = 20});
  send({.duration = 60ms, .randomness = 5});
  send({.duration = 70ms, .randomness = 4});

  const auto selection = close();

  EXPECT_THAT(randomness_of_winners(selection, ExemplarReason::kSlowest), ElementsAre(4));
  EXPECT_THAT(randomness_of_winners(selection, ExemplarReason::kBucket), ElementsAre(5, 30));
  EXPECT_THAT(selection.winners,
              Contains(AllOf(Field(&Winner::bucket, 0), Field(&Winner::weight, 3u))));
  EXPECT_THAT(selection.winners,
              Contains(AllOf(Field(&Winner::bucket, 4), Field(&Winner::weight, 2u),
                             Field(&Winner::reason, ExemplarReason::kBucket))));
}

TEST_F(Sampler, OneRequestIsOneExemplarNamedByItsFirstReason) {
  send({.duration = 1ms});
  const auto selection = close();
  EXPECT_THAT(selection.exchanges, SizeIs(1));
  ASSERT_THAT(selection.winners, SizeIs(1));
  EXPECT_EQ(selection.winners[0].reason, ExemplarReason::kSlowest);
}

TEST_F(Sampler, ErrorsHaveStrataOfTheirOwn) {
  send({.duration = 1ms, .status = 500, .randomness = 1});
  send({.duration = 2ms, .status = 500, .randomness = 2});
  send({.duration = 3ms, .status = 500, .randomness = 1});
  const auto selection = close();
  EXPECT_THAT(randomness_of_winners(selection, ExemplarReason::kError), ElementsAre(2));
  EXPECT_THAT(selection.winners, Contains(Field(&Winner::is_error, true)));
}

TEST_F(Sampler, StartsAnewEachWindow) {
  send({.duration = 1ms, .randomness = 99});
  EXPECT_THAT(close().winners, SizeIs(1));
  EXPECT_THAT(close().winners, IsEmpty());
  send({.duration = 1ms, .randomness = 2});
  const auto selection = close();
  EXPECT_THAT(randomness_of_winners(selection, ExemplarReason::kSlowest), ElementsAre(2));
}

TEST_F(Sampler, WhenShortDropsBucketsBeforeErrorsAndErrorsBeforeTheSlowest) {
  configure({.spans_per_window = 4, .burst_spans = 4, .floor_probability = 0});
  for (TargetId target = 1; target <= 2; ++target) {
    send({.duration = 80ms, .status = 500, .randomness = 1, .target = target});
    send({.duration = 1ms, .status = 500, .randomness = target, .target = target});
    send({.duration = 90ms, .status = 200, .randomness = 1, .target = target});
    send({.duration = 1ms, .status = 200, .randomness = 5, .target = target});
  }
  const auto first = close();
  EXPECT_THAT(randomness_of_winners(first, ExemplarReason::kSlowest), SizeIs(4));
  EXPECT_THAT(first.exchanges, SizeIs(4));
  EXPECT_EQ(counters.get(Counter::kCandidatesOverBudget), 4u);

  configure({.spans_per_window = 5, .burst_spans = 5, .floor_probability = 0});
  for (TargetId target = 1; target <= 2; ++target) {
    send({.duration = 80ms, .status = 500, .randomness = 1, .target = target});
    send({.duration = 1ms, .status = 500, .randomness = target, .target = target});
    send({.duration = 90ms, .status = 200, .randomness = 1, .target = target});
    send({.duration = 1ms, .status = 200, .randomness = 5, .target = target});
  }
  const auto second = close();
  EXPECT_THAT(randomness_of_winners(second, ExemplarReason::kError), ElementsAre(2));
  EXPECT_THAT(randomness_of_winners(second, ExemplarReason::kBucket), IsEmpty());
}

TEST_F(Sampler, BucketsAreServedFromTheTopDown) {
  configure({.spans_per_window = 3, .burst_spans = 3, .floor_probability = 0});
  for (const auto duration : {1ms, 30ms, 200ms, 900ms})
    for (int i = 0; i < 2; ++i)
      send({.duration = duration, .randomness = static_cast<std::uint64_t>(duration / 1ms)});
  send({.duration = 20s, .randomness = 20'000});
  const auto selection = close();
  EXPECT_THAT(randomness_of_winners(selection, ExemplarReason::kSlowest), ElementsAre(20'000));
  EXPECT_THAT(randomness_of_winners(selection, ExemplarReason::kBucket), ElementsAre(900, 200));
}

TEST_F(Sampler, UnservedSeriesAgeAndComeFirst) {
  configure({.spans_per_window = 1, .burst_spans = 1, .floor_probability = 0});
  std::set<TargetId> served;
  for (int window = 0; window < 5; ++window) {
    for (TargetId target = 1; target <= 5; ++target)
      send({.duration = 1ms * target, .randomness = target, .target = target});
    const auto selection = close();
    ASSERT_THAT(selection.exchanges, SizeIs(1));
    served.insert(selection.exchanges[0].exchange.target);
  }
  EXPECT_THAT(served, SizeIs(5)) << "five series, one span a window: each has its turn";
}

TEST_F(Sampler, ACrowdOfProcessesOfOneRequestLeavesRoomForTheSeriesThatStay) {
  configure({.spans_per_window = 8, .burst_spans = 8, .floor_probability = 0});
  constexpr TargetId kStays = 1;
  TargetId passing = 100;
  for (int window = 0; window < 3; ++window) {
    // given more processes that come and go than the budget has spans, slower than all else
    for (int i = 0; i < 20; ++i)
      send({.duration = 5s, .randomness = 1'000'000, .target = passing++});
    // and a series of three buckets
    for (const auto duration : {1ms, 30ms, 200ms})
      for (int i = 0; i < 2; ++i)
        send({.duration = duration, .randomness = 1, .target = kStays});
    // when the window closes
    const auto selection = close();
    // then each bucket of it has its exemplar, and what is left goes to the others
    const auto of_stays = [&](const Winner& winner) {
      return selection.exchanges[winner.exchange].exchange.target == kStays;
    };
    EXPECT_EQ(std::ranges::count_if(selection.winners, of_stays), 3);
    EXPECT_THAT(selection.exchanges, SizeIs(8));
  }
}

TEST_F(Sampler, ANewcomerOfOneRequestThatComesAgainIsServed) {
  configure({.spans_per_window = 1, .burst_spans = 1, .floor_probability = 0});
  const auto busy = [&] {
    for (int i = 0; i < 2; ++i)
      send({.duration = 9s, .randomness = 9, .target = 1});
  };
  busy();
  send({.duration = 1ms, .randomness = 1, .target = 2});
  EXPECT_EQ(close().exchanges.front().exchange.target, 1u);
  busy();
  send({.duration = 1ms, .randomness = 1, .target = 2});
  EXPECT_EQ(close().exchanges.front().exchange.target, 2u);
}

TEST_F(Sampler, TheSeriesThatMovedComesBeforeTheOnesThatDidNot) {
  // given three series that were served the same, under a budget for all
  configure({.spans_per_window = 3, .burst_spans = 3, .floor_probability = 0});
  for (int window = 0; window < 10; ++window) {
    for (TargetId target = 1; target <= 3; ++target)
      send({.duration = 10ms, .randomness = 100 - target, .target = target});
    close();
  }
  // when the second becomes ten times slower
  for (TargetId target = 1; target <= 3; ++target)
    send({.duration = target == 2 ? 100ms : 10ms, .randomness = 100 - target, .target = target});
  const auto selection = close();
  // then it is the most important
  EXPECT_EQ(selection.exchanges.front().exchange.target, 2u);
}

TEST_F(Sampler, ARiseOfErrorsIsAMovementToo) {
  configure({.spans_per_window = 6, .burst_spans = 6, .floor_probability = 0});
  const auto send_window = [&](std::uint16_t status_of_third) {
    for (TargetId target = 1; target <= 3; ++target) {
      send({.duration = 10ms, .status = 200, .randomness = 100 - target, .target = target});
      for (int i = 0; i < 3; ++i)
        send({.duration = 10ms,
              .status = target == 3 ? status_of_third : std::uint16_t{200},
              .randomness = 50,
              .target = target});
    }
  };
  for (int window = 0; window < 10; ++window) {
    send_window(503);
    close();
  }
  for (int window = 0; window < 30; ++window) {
    send_window(200);
    close();
  }
  send_window(503);
  EXPECT_EQ(close().exchanges.front().exchange.target, 3u);
}

TEST_F(Sampler, NeverSpendsMoreThanBudgetAndBurst) {
  configure({.spans_per_window = 10, .burst_spans = 20, .floor_probability = 0});
  std::size_t spent = 0;
  for (int window = 1; window <= 20; ++window) {
    const int series = window < 10 ? 1 : 200;
    for (int i = 0; i < series; ++i)
      send({.duration = 1ms, .randomness = 7, .target = static_cast<TargetId>(i + 1)});
    const auto chosen = close().exchanges.size();
    EXPECT_LE(chosen, 20u);
    if (window > 10) {
      EXPECT_EQ(chosen, 10u) << "settled after the burst";
    }
    spent += chosen;
    EXPECT_LE(spent, 10u * static_cast<std::size_t>(window) + 20u);
  }
}

TEST_F(Sampler, ErrorsBeyondTheObjectiveRaiseTheBudgetWithinItsLimit) {
  const auto chosen_with = [this](int errors, int of, Role role = Role::kServer) {
    configure({.spans_per_window = 2,
               .burst_spans = 2,
               .most_spans = 6,
               .allowed_error_ratio = 0.01,
               .floor_probability = 0});
    for (int i = 0; i < of; ++i)
      send({.duration = 1ms,
            .status = static_cast<std::uint16_t>(i < errors ? 500 : 200),
            .role = role});
    for (TargetId target = 2; target < 12; ++target)
      send({.duration = 1ms, .target = target});
    close();
    return sampler->spans_per_window();
  };
  EXPECT_EQ(chosen_with(0, 100), 2u);
  EXPECT_EQ(chosen_with(1, 100), 2u) << "as many as are allowed";
  EXPECT_EQ(chosen_with(15, 100), 6u) << "more than fourteen times as many";
  EXPECT_EQ(counters.get(Counter::kBudgetRaised), 1u);
  EXPECT_EQ(chosen_with(3, 3), 2u) << "too few requests to have a ratio";
  EXPECT_EQ(chosen_with(4, 20), 2u) << "too few errors to have one";
  EXPECT_EQ(chosen_with(50, 100, Role::kClient), 2u) << "it is not the service that fails";
}

TEST_F(Sampler, UnderPressureTheBudgetIsHalved) {
  configure({.spans_per_window = 8, .burst_spans = 8, .least_spans = 1, .floor_probability = 0});
  for (const std::size_t chosen : {4, 2, 1, 1}) {
    for (TargetId target = 1; target <= 20; ++target)
      send({.duration = 1ms, .target = target});
    sampler->on_pressure({.backend = true});
    EXPECT_THAT(close().exchanges, SizeIs(chosen));
  }
  EXPECT_EQ(counters.get(Counter::kBudgetLowered), 4u);
  EXPECT_EQ(counters.get(Counter::kPressureOfBackend), 4u);
  EXPECT_EQ(counters.get(Counter::kPressureOfAgent), 0u);
}

TEST_F(Sampler, CandidatesOutliveTheFlightRecorder) {
  configure({.floor_probability = 0}, /*recorder_records=*/8);
  send({.duration = 900ms, .randomness = 1'000});
  for (int i = 0; i < 1'000; ++i)
    send({.duration = 1ms, .randomness = 5});
  const auto selection = close();
  EXPECT_THAT(randomness_of_winners(selection, ExemplarReason::kSlowest), ElementsAre(1'000));
  EXPECT_EQ(counters.get(Counter::kCandidatesOverwritten), 0u);
}

TEST_F(Sampler, WithoutRoomToKeepThemOverwrittenCandidatesAreCounted) {
  configure({.floor_probability = 0, .kept_records = 0}, /*recorder_records=*/8);
  send({.duration = 900ms, .randomness = 1'000});
  for (int i = 0; i < 8; ++i)
    send({.duration = 1ms, .randomness = 5});
  const auto selection = close();
  EXPECT_THAT(randomness_of_winners(selection, ExemplarReason::kSlowest), IsEmpty());
  EXPECT_THAT(randomness_of_winners(selection, ExemplarReason::kBucket), ElementsAre(5));
  EXPECT_EQ(counters.get(Counter::kCandidatesOverwritten), 2u) << "slowest, and its bucket";
}

TEST_F(Sampler, OneTargetLeavesRoomForTheCandidatesOfOthers) {
  configure({.floor_probability = 0, .kept_records = 64}, /*recorder_records=*/8);
  for (std::uint16_t status = 200; status < 400; ++status)
    send({.duration = 1ms, .status = status, .randomness = 5, .target = 2});
  send({.duration = 900ms, .randomness = 1'000, .target = 1});
  for (int i = 0; i < 100; ++i)
    send({.duration = 1ms, .randomness = 4, .target = 2});
  const auto selection = close();
  EXPECT_THAT(randomness_of_winners(selection, ExemplarReason::kSlowest), Contains(1'000));
  EXPECT_GT(counters.get(Counter::kCandidatesOverwritten), 100u) << "of the other";
}

TEST_F(Sampler, FloorRequestsComeBesidesTheBudget) {
  configure({.spans_per_window = 1, .burst_spans = 1, .floor_probability = 0.5});
  constexpr auto kHigh = std::uint64_t{1} << 55;
  send({.duration = 1ms, .randomness = kHigh + 3});
  send({.duration = 1ms, .randomness = kHigh + 2});
  send({.duration = 1ms, .randomness = 1});
  send({.duration = 9ms, .randomness = 2});
  const auto selection = close();
  std::vector<std::uint64_t> floor;
  for (const auto& chosen : selection.exchanges)
    if (chosen.in_floor) floor.push_back(chosen.exchange.randomness);
  EXPECT_THAT(floor, ElementsAre(kHigh + 3, kHigh + 2));
  EXPECT_EQ(selection.floor_threshold, kHigh);
  EXPECT_THAT(selection.exchanges, SizeIs(3)) << "the slowest, and two of the floor";
}

TEST_F(Sampler, RelativesAreTheOtherRequestsOfTheTrace) {
  RelativesFinder relatives({}, counters);
  send({.duration = 80ms, .randomness = 9, .trace = 77});
  send({.duration = 3ms, .randomness = 9, .role = Role::kClient, .trace = 77});
  send({.duration = 1ms, .randomness = 9, .target = 2, .trace = 77});
  send({.duration = 1ms, .randomness = 10, .target = 2, .trace = 5});
  auto selection = close();
  const auto winners = selection.exchanges.size();
  const auto of_77 = [](const Selection& s) {
    return std::ranges::count_if(s.exchanges,
                                 [](const auto& c) { return c.exchange.trace_id.bytes[15] == 77; });
  };

  relatives.add_relatives(selection, *recorder);

  EXPECT_EQ(of_77(selection), 3);
  EXPECT_GE(selection.exchanges.size(), winners);
  auto again = close();
  relatives.add_relatives(again, *recorder);
  EXPECT_THAT(again.exchanges, IsEmpty()) << "no span is exported twice";
}

TEST_F(Sampler, AParentThatEndsInTheNextWindowIsStillFound) {
  RelativesFinder relatives({}, counters);
  send({.duration = 3ms, .role = Role::kClient, .trace = 77});
  auto first = close();
  relatives.add_relatives(first, *recorder);
  // when the parent ends after the window, and is no winner itself
  send({.duration = 9ms, .randomness = 99, .trace = 5});
  send({.duration = 8ms, .randomness = 1, .trace = 77});
  auto second = close();
  relatives.add_relatives(second, *recorder);
  EXPECT_THAT(second.exchanges,
              Contains(Field(&ChosenExchange::exchange,
                             Field(&Exchange::last_response, MonotonicTime{1'008'000'000}))));
}

TEST_F(Sampler, OneTraceCannotTakeAllRelatives) {
  RelativesFinder relatives({.spans_per_window = 100, .burst_spans = 100}, counters);
  for (int i = 0; i < 500; ++i)
    send({.duration = 1ms, .randomness = 9, .trace = 77});
  auto selection = close();
  const auto winners = selection.exchanges.size();
  relatives.add_relatives(selection, *recorder);
  EXPECT_EQ(selection.exchanges.size() - winners, 64u);
  EXPECT_EQ(counters.get(Counter::kRelativesOverBudget), 500u - winners - 64u);
}

}  // namespace
}  // namespace exa
