#include "agent/request_pipeline/fine_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "agent/request_pipeline/request_pipeline.h"
#include "agent/request_pipeline/window_shares.h"
#include "synthetic_exchanges.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using testing::exchange_of;
using testing::kStart;
using testing::target_of;
using testing::with_context;

class FineSeriesTest : public ::testing::Test {
 protected:
  void SetUp() override { restart({.fine_series = 16}); }
  void restart(RequestPipelineOptions options) {
    options.id_seed = {1};
    pipeline = std::make_unique<RequestPipeline>(options, counters);
    pipeline->begin(kStart);
    pipeline->on_clock_offset({.ns = 1'700'000'000'000'000'000});
    pipeline->on_target(target_of(100, "shop"));
  }
  // Answers of 1, 2 ... n times 0.1 ms.
  void answer(std::uint32_t n, std::uint16_t status = 200) {
    for (std::uint32_t i = 1; i <= n; ++i)
      pipeline->on_exchange(exchange_of({.status = status,
                                         .at = 1ms * i,
                                         .duration = 100us * i,
                                         .sequence = i,
                                         .path = i == n ? "/slowest" : "/quick"}));
  }
  static const WindowSeries& durations_in(const ClosedWindow& window, std::uint16_t status = 200) {
    return *std::ranges::find_if(window.series, [&](const WindowSeries& series) {
      return series.key.kind == MetricKind::kServerDuration && series.key.status == status;
    });
  }
  Counters counters;
  std::unique_ptr<RequestPipeline> pipeline;
};

TEST_F(FineSeriesTest, CountsEveryRequestAndKeepsTheSlowest) {
  answer(1000);
  const auto window = pipeline->close_window(kStart + 10s);
  const auto& series = durations_in(window);
  ASSERT_TRUE(series.fine);
  std::uint64_t counted = 0;
  for (const auto& cell : series.fine->cells) {
    counted += cell.count;
    if (counted >= 500 && counted - cell.count < 500) {
      EXPECT_NEAR(static_cast<double>(cell.middle_ns), 50e6, 0.032 * 50e6) << "the median";
    }
  }
  EXPECT_EQ(counted, 1000u);
  EXPECT_EQ(series.fine->slowest_ns, 100'000'000u);
  EXPECT_EQ(series.fine->slowest_ns, series.delta.max);
  EXPECT_EQ(series.fine->slowest.operation.name.view(), "/slowest");
  for (const auto& other : window.series)
    EXPECT_EQ(other.fine != nullptr, other.key.kind != MetricKind::kServerQueue);
}

TEST_F(FineSeriesTest, AWindowBeginsWithNothing) {
  answer(10);
  static_cast<void>(pipeline->close_window(kStart + 10s));
  pipeline->on_exchange(exchange_of({.at = 11s, .duration = 3ms, .sequence = 99}));
  const auto window = pipeline->close_window(kStart + 20s);
  const auto& fine = *durations_in(window).fine;
  ASSERT_EQ(fine.cells.size(), 1u);
  EXPECT_EQ(fine.cells[0].count, 1u);
  EXPECT_EQ(fine.slowest_ns, 3'000'000u);
}

TEST_F(FineSeriesTest, ThoseThatFindNoPlaceAreCounted) {
  restart({.fine_series = 2});
  for (const std::uint16_t status : {200, 404, 500})
    answer(5, status);
  const auto window = pipeline->close_window(kStart + 10s);
  EXPECT_TRUE(durations_in(window, 404).fine);
  EXPECT_FALSE(durations_in(window, 500).fine);
  EXPECT_EQ(counters.get(Counter::kFineOverflow), 5u);
  EXPECT_EQ(durations_in(window, 500).delta.max, 500'000u) << "exact all the same";
}

TEST_F(FineSeriesTest, NothingIsKeptWhereNobodyLooks) {
  restart({});
  answer(5);
  EXPECT_FALSE(durations_in(pipeline->close_window(kStart + 10s)).fine);
  EXPECT_EQ(counters.get(Counter::kFineOverflow), 0u);
}

TEST_F(FineSeriesTest, TwoWindowsBecomeOne) {
  answer(10);
  auto first = pipeline->close_window(kStart + 10s);
  pipeline->on_exchange(exchange_of({.at = 11s, .duration = 7s, .sequence = 99, .path = "/later"}));
  first.absorb(pipeline->close_window(kStart + 20s));
  const auto& series = durations_in(first);
  EXPECT_EQ(series.delta.count(), 11u);
  EXPECT_EQ(series.fine->slowest_ns, 7'000'000'000u);
  EXPECT_EQ(series.fine->slowest.operation.name.view(), "/later");
  std::uint64_t counted = 0;
  for (const auto& cell : series.fine->cells)
    counted += cell.count;
  EXPECT_EQ(counted, 11u);
}

TEST_F(FineSeriesTest, TheSlowestIsToldInWords) {
  pipeline->on_exchange(
      exchange_of({.at = 2s, .duration = 30ms, .sequence = 1, .path = "/users/4711"}));
  const auto window = pipeline->close_window(kStart + 10s);
  const auto shares = window_shares(window, std::vector<bool>(window.spans.size(), true), true);
  const auto& share = *shares.at(durations_in(window).uid);
  EXPECT_EQ(share.count, 1u);
  EXPECT_EQ(share.max_ns, 30'000'000u);
  ASSERT_TRUE(share.slowest);
  EXPECT_EQ(share.slowest->path, "/users/4711");
  EXPECT_EQ(share.slowest->route, "/users/{id}");
  EXPECT_EQ(share.slowest->peer, "10.0.0.1:40000");
  EXPECT_EQ(share.slowest->begin.ns, 1'700'000'000'000'000'000 + kStart.ns + 1'970'000'000);
  EXPECT_EQ(share.slowest->trace_id, window.spans.at(0).exchange.trace_id);

  const auto refused = window_shares(window, std::vector<bool>(window.spans.size()), true);
  EXPECT_FALSE(refused.at(durations_in(window).uid)->slowest->trace_id.valid())
      << "nobody stored it";
}

TEST_F(FineSeriesTest, WithoutBackendTheCallersTraceCountsIfHeSampled) {
  for (const std::uint8_t flags : {0, 1}) {
    pipeline->on_exchange(
        with_context(exchange_of({.at = 1s * (1 + 10 * flags), .sequence = flags + 1u}), 7, flags));
    const auto window = pipeline->close_window(kStart + 10s * (1 + flags));
    const auto shares = window_shares(window, std::vector<bool>(window.spans.size()), false);
    EXPECT_EQ(shares.at(durations_in(window).uid)->slowest->trace_id.valid(), flags == 1);
  }
}

}  // namespace
}  // namespace exa
