// Exponential histograms of windows that join, and of all windows since a series began.
#include "agent/request_pipeline/exponential_series.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "agent/request_pipeline/cumulative_series.h"
#include "agent/request_pipeline/request_pipeline.h"
#include "synthetic_exchanges.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using testing::exchange_of;
using testing::kStart;
using testing::target_of;

class Exponential : public ::testing::Test {
 protected:
  Exponential() {
    RequestPipelineOptions options;
    options.id_seed = {1, 2, 3};
    options.exponential = true;
    pipeline = std::make_unique<RequestPipeline>(options, counters);
    pipeline->begin(kStart);
    pipeline->on_clock_offset({.ns = 1'700'000'000'000'000'000});
    pipeline->on_target(target_of(100, "shop"));
  }
  // Of requests without a queue time, so that there is one series.
  ClosedWindow window_of(std::initializer_list<Duration> durations) {
    for (const auto duration : durations) {
      values.add(seconds(duration));
      pipeline->on_exchange(exchange_of(
          {.at = 10s * windows + 1s, .duration = duration, .queued = 0ns, .sequence = ++sequence}));
    }
    return pipeline->close_window(kStart + 10s * ++windows);
  }

  Counters counters;
  std::unique_ptr<RequestPipeline> pipeline;
  ExponentialHistogram values;  // of all requests
  int windows = 0;
  std::uint32_t sequence = 0;
};

TEST_F(Exponential, WindowsThatJoinHoldTheValuesOfBoth) {
  auto first = window_of({1ms, 2ms});
  auto second = window_of({500ms, 8s});
  first.absorb(std::move(second));
  ASSERT_EQ(first.series.size(), 1u);
  ASSERT_NE(first.series[0].exponential, nullptr);
  EXPECT_EQ(*first.series[0].exponential, values);
}

TEST_F(Exponential, ASeriesThatIsNewInTheSecondWindowComesAlong) {
  auto first = window_of({});
  first.absorb(window_of({3ms}));
  ASSERT_EQ(first.series.size(), 1u);
  EXPECT_EQ(*first.series[0].exponential, values);
}

TEST_F(Exponential, PointsAreOfAllWindows) {
  CumulativeSeries series;
  series.add(window_of({1ms, 2ms, 40ms}));
  series.add(window_of({7s}));
  const auto last = window_of({3ms});
  series.add(last);
  const auto batch = series.points(last, {}, {});
  ASSERT_EQ(batch.resources.size(), 1u);
  const auto& point = std::get<Histogram>(batch.resources[0].metrics.at(0).points).points.at(0);
  ASSERT_NE(point.exponential, nullptr);
  const auto& buckets = *point.exponential;
  EXPECT_EQ(buckets.scale, values.scale());
  EXPECT_EQ(buckets.offset, values.offset());
  ASSERT_EQ(buckets.counts.size(), values.bucket_count());
  std::uint64_t count = buckets.zero_count;
  for (std::size_t i = 0; i < buckets.counts.size(); ++i) {
    EXPECT_EQ(buckets.counts[i], values.bucket(values.offset() + static_cast<int>(i)));
    count += buckets.counts[i];
  }
  EXPECT_EQ(count, point.count);
}

}  // namespace
}  // namespace exa
