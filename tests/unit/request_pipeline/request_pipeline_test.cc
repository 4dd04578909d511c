#include "agent/request_pipeline/request_pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <set>

#include "exa/abi/event.h"
#include "synthetic_exchanges.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using testing::exchange_of;
using ::testing::Field;
using ::testing::IsEmpty;
using testing::kStart;
using ::testing::SizeIs;
using testing::target_of;
using testing::with_context;

std::vector<std::byte> process_record(std::uint32_t tgid, MonotonicTime time, const char* exe) {
  exa_process_event event{};
  event.header = {.size_bytes = sizeof event,
                  .type = EXA_EVENT_PROCESS,
                  .flags = 0,
                  .reserved = {},
                  .ktime_ns = time.ns,
                  .socket_id = 0,
                  .tgid = tgid,
                  .cpu = 0};
  event.start_time_ns = 1;
  std::strncpy(reinterpret_cast<char*>(event.exe_name), exe, sizeof event.exe_name - 1);
  std::vector<std::byte> bytes(sizeof event);
  std::memcpy(bytes.data(), &event, sizeof event);
  return bytes;
}

std::uint64_t count_of(const ClosedWindow& window, MetricKind kind) {
  std::uint64_t count = 0;
  for (const auto& series : window.series)
    if (series.key.kind == kind) count += series.delta.count();
  return count;
}

class Pipeline : public ::testing::Test {
 protected:
  void SetUp() override { restart({}); }
  void restart(RequestPipelineOptions options) {
    options.id_seed = {1, 2, 3};
    pipeline = std::make_unique<RequestPipeline>(options, counters);
    pipeline->begin(kStart);
    pipeline->on_clock_offset({.ns = 1'700'000'000'000'000'000});
  }
  ClosedWindow close_after(Duration since_start) {
    return pipeline->close_window(kStart + since_start);
  }
  Counters counters;
  std::unique_ptr<RequestPipeline> pipeline;
};

TEST_F(Pipeline, CountsEveryRequestAndQueueTimesOfServers) {
  pipeline->on_target(target_of(100, "shop"));
  pipeline->on_exchange(exchange_of({.sequence = 1}));
  pipeline->on_exchange(exchange_of({.sequence = 2}));
  pipeline->on_exchange(exchange_of({.queued = 0ns, .sequence = 3}));
  pipeline->on_exchange(exchange_of({.role = Role::kClient, .sequence = 4}));

  const auto window = close_after(10s);

  EXPECT_EQ(count_of(window, MetricKind::kServerDuration), 3u);
  EXPECT_EQ(count_of(window, MetricKind::kClientDuration), 1u);
  EXPECT_EQ(count_of(window, MetricKind::kServerQueue), 2u);
  EXPECT_EQ(counters.get(Counter::kExchangesRecorded), 4u);
  EXPECT_EQ(counters.get(Counter::kQueueTimeUnknown), 1u);
  EXPECT_EQ(window.start.ns, 1'700'000'000'000'000'000 + kStart.ns);
  EXPECT_EQ(window.end.ns - window.start.ns, 10'000'000'000u);
  EXPECT_THAT(close_after(20s).series, IsEmpty());
}

TEST_F(Pipeline, EveryExemplarLiesInABucketOfItsSeries) {
  pipeline->on_target(target_of(100, "shop"));
  for (std::uint32_t i = 1; i <= 3000; ++i)
    pipeline->on_exchange(
        exchange_of({.status = i % 50 == 0 ? std::uint16_t{500} : std::uint16_t{200},
                     .at = 1ms * i,
                     .duration = 1us * (i * 37 % 900'000),
                     .sequence = i}));
  const auto window = close_after(10s);

  ASSERT_FALSE(window.exemplars.empty());
  std::set<std::pair<SeriesUid, int>> explained;
  for (const auto& exemplar : window.exemplars) {
    const auto series = std::ranges::find(window.series, exemplar.series, &WindowSeries::uid);
    ASSERT_NE(series, window.series.end());
    EXPECT_EQ(row_of(series->key.kind).bounds().bucket(exemplar.value), exemplar.bucket);
    EXPECT_GT(series->delta.bucket_counts[exemplar.bucket], 0u);
    EXPECT_GE(exemplar.value, series->delta.min);
    EXPECT_LE(exemplar.value, series->delta.max);
    explained.emplace(exemplar.series, exemplar.bucket);
  }
  std::set<std::pair<SeriesUid, int>> occupied;
  for (const auto& series : window.series)
    for (int bucket = 0; bucket < 15; ++bucket)
      if (series.delta.bucket_counts[static_cast<std::size_t>(bucket)] > 0)
        occupied.emplace(series.uid, bucket);
  EXPECT_EQ(explained, occupied);
}

TEST_F(Pipeline, ExcludedTargetsCountNowhere) {
  pipeline->on_target(target_of(100, "hidden", 1, /*observed=*/false));
  pipeline->on_exchange(exchange_of({}));
  EXPECT_THAT(close_after(10s).series, IsEmpty());
  EXPECT_EQ(counters.get(Counter::kExchangesExcluded), 1u);
  EXPECT_EQ(counters.get(Counter::kExchangesRecorded), 0u);
}

TEST_F(Pipeline, WithoutBeginOrEndNothingIsInvented) {
  pipeline->on_target(target_of(100, "shop"));
  auto no_end = exchange_of({});
  no_end.last_response = {};
  pipeline->on_exchange(no_end);
  EXPECT_THAT(close_after(10s).series, IsEmpty());
  EXPECT_EQ(counters.get(Counter::kExchangesUnmeasured), 1u);
}

TEST_F(Pipeline, AnExchangeWaitsForItsTarget) {
  pipeline->on_record(process_record(100, kStart + 1s, "python3"));
  pipeline->on_exchange(exchange_of({.at = 1s}));
  EXPECT_EQ(pipeline->held_exchanges(), 1u);
  pipeline->on_target(target_of(100, "shop"));
  EXPECT_EQ(pipeline->held_exchanges(), 0u);

  const auto window = close_after(10s);
  ASSERT_THAT(window.series, SizeIs(2));
  EXPECT_EQ(window.targets.at(window.series[0].key.target)->service_name, "shop");
  EXPECT_EQ(counters.get(Counter::kTargetsHeld), 1u);
  EXPECT_EQ(counters.get(Counter::kTargetsLate), 0u);
}

TEST_F(Pipeline, AfterASecondOfEventTimeItGoesOutUnderItsKernelName) {
  pipeline->on_record(process_record(100, kStart + 1s, "python3"));
  pipeline->on_exchange(exchange_of({.at = 1s}));
  pipeline->on_record(process_record(101, kStart + 1900ms, "other"));
  EXPECT_EQ(pipeline->held_exchanges(), 1u);
  pipeline->on_record(process_record(102, kStart + 2s, "other"));
  EXPECT_EQ(pipeline->held_exchanges(), 0u);
  EXPECT_EQ(counters.get(Counter::kTargetsLate), 1u);

  // when the target comes after all, it is one of its own
  pipeline->on_target(target_of(100, "shop"));
  pipeline->on_exchange(exchange_of({.at = 3s, .sequence = 2}));
  const auto window = close_after(10s);
  std::set<std::string> services;
  for (const auto& series : window.series)
    services.insert(window.targets.at(series.key.target)->service_name);
  EXPECT_EQ(services, (std::set<std::string>{"python3", "shop"}));
}

TEST_F(Pipeline, CountsEveryExchangeOfAProvisionalTarget) {
  auto provisional = target_of(100, "node");
  provisional.provisional = true;
  pipeline->on_record(process_record(100, kStart + 1s, "node"));
  for (std::uint32_t i = 1; i <= 3; ++i)
    pipeline->on_exchange(exchange_of({.at = 1s, .sequence = i}));
  pipeline->on_target(provisional);
  pipeline->on_exchange(exchange_of({.at = 2s, .sequence = 4}));
  EXPECT_EQ(counters.get(Counter::kTargetsHeld), 3u);
  EXPECT_EQ(counters.get(Counter::kTargetsLate), 4u);
  pipeline->on_target(target_of(100, "shop"));
  pipeline->on_exchange(exchange_of({.at = 3s, .sequence = 5}));
  EXPECT_EQ(counters.get(Counter::kTargetsLate), 4u);
  EXPECT_EQ(counters.get(Counter::kExchangesRecorded), 5u);
}

// As the prober tells it where rules may exclude a process.
Target nobody_unjudged() {
  Target all;
  all.observed = false;
  return all;
}

TEST_F(Pipeline, WhereRulesExcludeWhoIsNotJudgedStaysUnseen) {
  pipeline->on_target(nobody_unjudged());
  pipeline->on_record(process_record(100, kStart + 1s, "curl"));
  pipeline->on_exchange(exchange_of({.at = 1s}));
  pipeline->on_record(process_record(101, kStart + 10s, "other"));
  EXPECT_EQ(pipeline->held_exchanges(), 1u) << "the prober may be behind by seconds";
  pipeline->on_record(process_record(102, kStart + 12s, "other"));

  EXPECT_EQ(pipeline->held_exchanges(), 0u);
  EXPECT_THAT(close_after(20s).series, IsEmpty());
  EXPECT_EQ(counters.get(Counter::kExchangesUnjudged), 1u);
  EXPECT_EQ(counters.get(Counter::kExchangesRecorded), 0u);
}

TEST_F(Pipeline, AVerdictThatComesLateDecidesOverWhatWaited) {
  pipeline->on_target(nobody_unjudged());
  pipeline->on_record(process_record(100, kStart + 1s, "curl"));
  pipeline->on_record(process_record(200, kStart + 1s, "wget"));
  pipeline->on_exchange(exchange_of({.at = 1s, .sequence = 1}));
  pipeline->on_exchange(exchange_of({.tgid = 200, .at = 1s, .sequence = 2}));
  pipeline->on_record(process_record(101, kStart + 9s, "other"));
  pipeline->on_target(target_of(100, "curl", 1, /*observed=*/false));
  pipeline->on_target(target_of(200, "wget"));

  const auto window = close_after(10s);
  ASSERT_EQ(count_of(window, MetricKind::kServerDuration), 1u);
  EXPECT_EQ(window.targets.at(window.series[0].key.target)->service_name, "wget");
  EXPECT_EQ(counters.get(Counter::kExchangesExcluded), 1u);
}

TEST_F(Pipeline, AtItsBoundAndAtTheEndTheUnjudgedAreLeftOut) {
  restart({.max_held_exchanges = 8});
  pipeline->on_target(nobody_unjudged());
  for (std::uint32_t i = 1; i <= 10; ++i)
    pipeline->on_exchange(exchange_of({.sequence = i}));
  pipeline->release_held();
  EXPECT_THAT(close_after(10s).series, IsEmpty());
  EXPECT_EQ(counters.get(Counter::kExchangesUnjudged), 10u);
  EXPECT_EQ(counters.get(Counter::kHeldOverShare), 6u) << "one process alone gets half";
}

TEST_F(Pipeline, WhatTheRulesLeaveUndecidedIsCountedApart) {
  pipeline->on_target(nobody_unjudged());
  auto undecided = target_of(100, "curl", 1, /*observed=*/false);
  undecided.undecided = true;
  pipeline->on_record(process_record(100, kStart + 1s, "curl"));
  pipeline->on_exchange(exchange_of({.at = 1s, .sequence = 1}));
  pipeline->on_target(undecided);
  pipeline->on_exchange(exchange_of({.at = 2s, .sequence = 2}));
  EXPECT_EQ(counters.get(Counter::kExchangesUnjudged), 2u);
  EXPECT_EQ(counters.get(Counter::kExchangesExcluded), 0u);
}

TEST_F(Pipeline, WhoFindsNoPlaceIsNotPublishedWhereRulesExclude) {
  restart({.max_targets = 1});
  pipeline->on_target(nobody_unjudged());
  pipeline->on_target(target_of(200, "shop"));
  pipeline->on_exchange(exchange_of({.at = 1s}));
  EXPECT_THAT(close_after(10s).series, IsEmpty());
  EXPECT_EQ(counters.get(Counter::kExchangesUnjudged), 1u);
}

TEST_F(Pipeline, HoldsNoMoreThanItsBound) {
  restart({.max_held_exchanges = 4});
  for (std::uint32_t i = 1; i <= 10; ++i)
    pipeline->on_exchange(exchange_of({.sequence = i}));
  EXPECT_LE(pipeline->held_exchanges(), 4u);
  pipeline->release_held();
  EXPECT_EQ(pipeline->held_exchanges(), 0u);
  EXPECT_EQ(count_of(close_after(10s), MetricKind::kServerDuration), 10u);
}

TEST_F(Pipeline, JoinsBothEndsOfARequestOnThisHost) {
  pipeline->on_target(target_of(100, "shop"));
  pipeline->on_target(target_of(200, "curl"));
  pipeline->on_exchange(exchange_of({.duration = 10ms, .sequence = 5}));
  pipeline->on_exchange(
      exchange_of({.tgid = 200, .role = Role::kClient, .duration = 11ms, .sequence = 5}));

  const auto window = close_after(10s);

  ASSERT_THAT(window.spans, SizeIs(2));
  const auto& server = *std::ranges::find(window.spans, Role::kServer,
                                          [](const auto& s) { return s.exchange.role; });
  const auto& client = *std::ranges::find(window.spans, Role::kClient,
                                          [](const auto& s) { return s.exchange.role; });
  EXPECT_EQ(server.exchange.trace_id, client.exchange.trace_id);
  EXPECT_EQ(server.purpose.parent, client.exchange.span_id);
  EXPECT_EQ(server.purpose.link, SpanLink::kConnection);
  EXPECT_FALSE(client.exchange.parent_span_id.valid());
}

TEST_F(Pipeline, JoinsEndsThatFallOnBothSidesOfAWindowsEnd) {
  pipeline->on_target(target_of(100, "shop"));
  pipeline->on_target(target_of(200, "curl"));
  const auto client = exchange_of({.tgid = 200, .role = Role::kClient, .sequence = 5});
  const auto server = exchange_of({.sequence = 5});
  pipeline->on_exchange(client);
  const auto first = close_after(10s);
  pipeline->on_exchange(server);
  const auto second = close_after(20s);

  ASSERT_THAT(first.spans, SizeIs(1));
  ASSERT_THAT(second.spans, SizeIs(1));
  EXPECT_TRUE(first.spans[0].exchange.span_id.valid());
  EXPECT_EQ(second.spans[0].purpose.parent, first.spans[0].exchange.span_id);
}

TEST_F(Pipeline, NamesNoParentThatIsNotExportedYet) {
  pipeline->on_target(target_of(100, "shop"));
  pipeline->on_target(target_of(200, "curl"));
  pipeline->on_exchange(exchange_of({.sequence = 5}));
  const auto window = close_after(10s);
  pipeline->on_exchange(exchange_of({.tgid = 200, .role = Role::kClient, .sequence = 5}));
  ASSERT_THAT(window.spans, SizeIs(1));
  EXPECT_EQ(window.spans[0].purpose.link, SpanLink::kNone);
  EXPECT_THAT(close_after(20s).spans, SizeIs(1));
}

TEST_F(Pipeline, BetweenAServerAndItsCallerIsTheEndThatWasSeen) {
  pipeline->on_target(target_of(100, "shop"));
  pipeline->on_exchange(with_context(exchange_of({.sequence = 5}), 9, kTraceSampled));
  pipeline->on_exchange(
      with_context(exchange_of({.role = Role::kClient, .sequence = 5}), 9, kTraceSampled));
  const auto window = close_after(10s);
  ASSERT_THAT(window.spans, SizeIs(2));
  for (const auto& span : window.spans) {
    EXPECT_EQ(span.exchange.parent_span_id.bytes[7], 9);
    const bool server = span.exchange.role == Role::kServer;
    EXPECT_EQ(span.purpose.link, server ? SpanLink::kConnection : SpanLink::kNone);
  }
}

TEST_F(Pipeline, FloorSpansCarryTheThresholdUnlessTheCallerSampledWithoutOne) {
  restart({.sampler = {.floor_probability = 1.0 / 16}});
  pipeline->on_target(target_of(100, "shop"));
  for (std::uint32_t i = 1; i <= 400; ++i) {
    auto exchange = exchange_of({.sequence = i});
    if (i % 2 == 0) {
      exchange = with_context(exchange, 9, kTraceSampled | kTraceRandom);
      exchange.trace_id.bytes[9] = 0xff;  // R above the floor
      exchange.trace_id.bytes[14] = static_cast<std::uint8_t>(i);
    }
    pipeline->on_exchange(exchange);
  }
  int with_threshold = 0;
  for (const auto& span : close_after(10s).spans) {
    if (span.exchange.has_context) {
      EXPECT_EQ(span.purpose.threshold, 0u);
    } else if (span.purpose.threshold != 0) {
      EXPECT_EQ(span.purpose.threshold, 0xf0000000000000u);
      EXPECT_GE(span.exchange.randomness, 0xf0000000000000u);
      ++with_threshold;
    } else {
      EXPECT_LT(span.exchange.randomness, 0xf0000000000000u);
    }
  }
  EXPECT_GT(with_threshold, 3) << "200 requests of ours, a sixteenth expected";
}

TEST_F(Pipeline, TheSameCallsGiveTheSameWindows) {
  const auto run = [&] {
    restart({});
    pipeline->on_target(target_of(100, "shop"));
    for (std::uint32_t i = 1; i <= 500; ++i)
      pipeline->on_exchange(
          exchange_of({.at = 1ms * i, .duration = 1us * (i * i % 99'991), .sequence = i}));
    return close_after(10s);
  };
  const auto first = run();
  const auto second = run();
  ASSERT_EQ(first.spans.size(), second.spans.size());
  for (std::size_t i = 0; i < first.spans.size(); ++i)
    EXPECT_EQ(first.spans[i].exchange.span_id, second.spans[i].exchange.span_id);
  ASSERT_EQ(first.exemplars.size(), second.exemplars.size());
}

TEST_F(Pipeline, CountsRecordsThatAreNone) {
  const std::array<std::byte, 5> garbage{};
  pipeline->on_record(garbage);
  pipeline->on_record({});
  EXPECT_EQ(counters.get(Counter::kRecordsConsumed), 2u);
  EXPECT_EQ(counters.get(Counter::kRecordsMalformed), 2u);
}

TEST_F(Pipeline, AbsorbingTheNextWindowLosesNoCount) {
  pipeline->on_target(target_of(100, "shop"));
  pipeline->on_exchange(exchange_of({.at = 1s, .duration = 10ms, .sequence = 1}));
  auto first = close_after(10s);
  pipeline->on_exchange(exchange_of({.at = 11s, .duration = 20ms, .sequence = 2}));
  pipeline->on_exchange(exchange_of({.status = 500, .at = 12s, .duration = 20ms, .sequence = 3}));
  auto second = close_after(20s);

  first.absorb(std::move(second));

  EXPECT_EQ(count_of(first, MetricKind::kServerDuration), 3u);
  EXPECT_EQ(first.end.ns - first.start.ns, 20'000'000'000u);
  EXPECT_THAT(first.spans, SizeIs(3));
  std::set<std::tuple<SeriesUid, int, bool>> strata;
  for (const auto& exemplar : first.exemplars) {
    EXPECT_LT(exemplar.span, first.spans.size());
    const bool slowest = exemplar.reason == ExemplarReason::kSlowest;
    EXPECT_TRUE(strata.emplace(exemplar.series, slowest ? -1 : exemplar.bucket, slowest).second);
  }
  const auto slowest_of_ok = std::ranges::find_if(first.exemplars, [&](const auto& exemplar) {
    return exemplar.series == first.series[0].uid && exemplar.reason == ExemplarReason::kSlowest;
  });
  ASSERT_NE(slowest_of_ok, first.exemplars.end());
  EXPECT_EQ(slowest_of_ok->value, 20'000'000u);
}

}  // namespace
}  // namespace exa
