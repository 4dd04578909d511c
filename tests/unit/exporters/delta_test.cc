// Differences of metrics: whatever becomes of batches on their way, what arrives adds up to what
// was counted.
#include "exporters/otlp/delta.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <sstream>
#include <thread>
#include <utility>

#include "exporters/queue/newest_metrics.h"
#include "tests/unit/exporters/samples.h"
#include "tests/unit/exporters/scripted_sender.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using testing::ElementsAre;
namespace s = samples;

MetricBatch batch_of(std::vector<Metric> metrics, unsigned window) {
  auto batch = s::batch(std::move(metrics));
  batch.window_end.ns += window * 10 * s::kSecond;
  for (auto& resource : batch.resources)
    for (auto& metric : resource.metrics)
      std::visit(
          [&](auto& all) {
            for (auto& point : all.points)
              point.time = batch.window_end;
          },
          metric.points);
  return batch;
}

Metric calls(std::int64_t value) {
  return {.name = "calls",
          .description = "",
          .unit = "",
          .points = Sum{.points = {{.attributes = s::get_200(),
                                    .start = {s::kEpoch},
                                    .time = {s::kEpoch},
                                    .value = value}}}};
}

Metric durations(std::vector<std::uint64_t> counts, double sum) {
  auto point = s::histogram_point(s::get_200());
  point.bucket_counts = counts;
  point.count = 0;
  for (const auto count : counts)
    point.count += count;
  point.sum = sum;
  return s::duration_metric({point});
}

TEST(Delta, TheFirstBatchIsNewSinceItsStart) {
  const auto batch = batch_of({calls(7), durations({1, 2, 0, 0}, 0.5)}, 0);
  const auto delta = delta_batch(batch, nullptr);
  EXPECT_EQ(std::get<std::int64_t>(counter_points(delta.resources[0].metrics[0])[0].value), 7);
  EXPECT_EQ(histogram_points(delta.resources[0].metrics[1])[0].count, 3u);
}

TEST(Delta, IsWhatWasAddedSinceTheTimeOfTheEarlierOne) {
  const auto earlier = batch_of({calls(7), durations({1, 2, 0, 0}, 0.5)}, 0);
  const auto delta = delta_batch(batch_of({calls(9), durations({1, 5, 0, 1}, 3.5)}, 1), &earlier);
  const auto number = counter_points(delta.resources[0].metrics[0])[0];
  EXPECT_EQ(std::get<std::int64_t>(number.value), 2);
  EXPECT_EQ(number.start, earlier.window_end);
  const auto point = histogram_points(delta.resources[0].metrics[1])[0];
  EXPECT_THAT(point.bucket_counts, ElementsAre(0, 3, 0, 1));
  EXPECT_EQ(point.count, 4u);
  EXPECT_DOUBLE_EQ(point.sum, 3);
  EXPECT_EQ(point.start, earlier.window_end);
  EXPECT_FALSE(point.extremes_known);
}

TEST(Delta, OfOneWindowTheExtremesAreKnown) {
  const auto earlier = batch_of({durations({1, 0, 0, 0}, 0.05)}, 0);
  auto metric = durations({2, 1, 0, 0}, 0.3);
  auto& point = std::get<Histogram>(metric.points).points[0];
  point = s::in_window(point, {50'000'000, 200'000'000});
  const auto delta = delta_batch(batch_of({metric}, 1), &earlier);
  const auto added = histogram_points(delta.resources[0].metrics[0])[0];
  EXPECT_TRUE(added.extremes_known);
  EXPECT_DOUBLE_EQ(added.min, 0.05);
  EXPECT_DOUBLE_EQ(added.max, 0.2);
}

TEST(Delta, WhatNothingWasAddedToIsLeftOut) {
  const auto earlier = batch_of({calls(7), durations({1, 2, 0, 0}, 0.5)}, 0);
  const auto delta = delta_batch(batch_of({calls(7), durations({1, 2, 0, 0}, 0.5)}, 1), &earlier);
  EXPECT_TRUE(counter_points(delta.resources[0].metrics[0]).empty());
  EXPECT_TRUE(histogram_points(delta.resources[0].metrics[1]).empty());
}

TEST(Delta, ASeriesThatBeganAnewIsNew) {
  const auto earlier = batch_of({calls(7)}, 0);
  auto again = calls(3);
  std::get<Sum>(again.points).points[0].start.ns += s::kSecond;
  const auto delta = delta_batch(batch_of({again}, 1), &earlier);
  EXPECT_EQ(std::get<std::int64_t>(counter_points(delta.resources[0].metrics[0])[0].value), 3);
}

TEST(Delta, ASeriesThatBeganAnewStandsBesideTheOneThatHasNotExpired) {
  const auto two = [](std::int64_t older, std::int64_t younger, unsigned window) {
    auto metric = calls(older);
    auto& points = std::get<Sum>(metric.points).points;
    points.push_back(points[0]);
    points[1].start.ns += s::kSecond;
    points[1].value = younger;
    return batch_of({metric}, window);
  };
  const auto earlier = two(7, 3, 0);
  const auto delta = delta_batch(two(7, 5, 1), &earlier);
  const auto points = counter_points(delta.resources[0].metrics[0]);
  ASSERT_EQ(points.size(), 1u) << "nothing was added to the older one";
  EXPECT_EQ(std::get<std::int64_t>(points[0].value), 2);
}

TEST(Delta, NeverBeginsAfterItEnds) {
  const auto earlier = batch_of({calls(7), durations({1, 2, 0, 0}, 0.5)}, 5);
  const auto delta = delta_batch(batch_of({calls(9), durations({1, 3, 0, 0}, 1)}, 2), &earlier);
  const auto number = counter_points(delta.resources[0].metrics[0])[0];
  EXPECT_EQ(number.start, number.time) << "the wall clock was set back";
  const auto point = histogram_points(delta.resources[0].metrics[1])[0];
  EXPECT_EQ(point.start, point.time);
}

TEST(Delta, IsNeverLessThanNothing) {
  const auto earlier = batch_of({calls(7)}, 0);
  const auto delta = delta_batch(batch_of({calls(6)}, 1), &earlier);
  EXPECT_TRUE(counter_points(delta.resources[0].metrics[0]).empty());
}

TEST(Delta, BucketsOfAnEarlierScaleAreTakenFromThoseThatHoldThemNow) {
  auto before = durations({3, 0, 0, 0}, 1);
  auto after = durations({5, 0, 0, 0}, 2);
  std::get<Histogram>(before.points).points[0].exponential = std::make_shared<ExponentialBuckets>(
      ExponentialBuckets{.scale = 3, .zero_count = 1, .offset = -3, .counts = {1, 0, 1}});
  std::get<Histogram>(after.points).points[0].exponential = std::make_shared<ExponentialBuckets>(
      ExponentialBuckets{.scale = 1, .zero_count = 1, .offset = -1, .counts = {2, 1, 1}});
  const auto earlier = batch_of({before}, 0);
  const auto delta = delta_batch(batch_of({after}, 1), &earlier);
  const auto& buckets = *histogram_points(delta.resources[0].metrics[0])[0].exponential;
  EXPECT_EQ(buckets.zero_count, 0u);
  EXPECT_THAT(buckets.counts, ElementsAre(0, 1, 1)) << "indexes -3 and -1 are in -1 now";
}

// A backend that puts off as it pleases, even what it has taken, so that some batches are
// superseded and others half sent. What it is sent again it knows by its bytes.
TEST(DeltaOnItsWay, AddsUpToWhatWasCounted) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    auto script = std::make_shared<SenderScript>();
    std::map<std::string, std::int64_t> arrived;
    std::string put_off;
    bool taken = false;
    script->verdict = [&](int, const std::string& request) {
      if (put_off.empty()) taken = false;
      EXPECT_TRUE(put_off.empty() || request == put_off) << "seed " << seed;
      const auto outcome = random() % 10;
      if (outcome >= 2 && !std::exchange(taken, true)) {
        std::istringstream lines(request);
        std::string name;
        std::int64_t value = 0;
        while (lines >> name >> value)
          arrived[name] += value;
      }
      if (outcome < 5) {
        put_off = request;
        return SendOutcome{.status = SendStatus::kRetry};
      }
      put_off.clear();
      if (outcome == 5)
        return SendOutcome{.status = SendStatus::kRefused, .trouble = SendTrouble::kBadReply};
      return SendOutcome{.status = SendStatus::kDelivered};
    };
    // A line a point, so many a request.
    const auto encode = [](const MetricsToEncode& what) {
      std::vector<EncodedMetrics> requests;
      std::size_t skipped = what.skipped_points;
      const auto delta = delta_batch(what.batch, what.delivered);
      for (const auto& metric : delta.resources[0].metrics)
        for (const auto& point : counter_points(metric)) {
          if (skipped > 0) {
            --skipped;
            continue;
          }
          const auto line =
              metric.name + " " + std::to_string(std::get<std::int64_t>(point.value)) + "\n";
          if (requests.empty() || requests.back().request.size() + line.size() > what.limit_bytes)
            requests.emplace_back();
          requests.back().request += line;
          ++requests.back().points;
        }
      return requests;
    };
    QueueSettings settings;
    settings.request_bytes = 60;
    settings.shortest_backoff = 1ms;
    settings.longest_backoff = 2ms;
    ExportCounters counters;
    NewestMetricExporter exporter(std::make_unique<ScriptedSender>(script), encode, settings,
                                  counters, LogSink(), Temporality::kDelta);
    std::map<std::string, std::int64_t> counted;
    for (unsigned window = 1; window <= 60; ++window) {
      std::vector<Metric> metrics;
      for (int series = 0; series < 8; ++series) {
        const auto name = "series_" + std::to_string(series);
        auto metric = calls(counted[name] += static_cast<std::int64_t>(random() % 5));
        metric.name = name;
        metrics.push_back(std::move(metric));
      }
      exporter.export_metrics(std::make_shared<const MetricBatch>(batch_of(metrics, window)));
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 1500));
    }
    exporter.shutdown(Clock::now() + 10s);
    for (const auto& [name, count] : counted)
      EXPECT_EQ(arrived[name], count) << name << ", seed " << seed;
  }
}

}  // namespace
}  // namespace exa
