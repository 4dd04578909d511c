#include "agent/request_pipeline/window_publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <set>

#include "agent/request_pipeline/request_pipeline.h"
#include "synthetic_exchanges.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using testing::exchange_of;
using testing::kStart;
using testing::target_of;
using testing::with_context;

// Stands for the backend: stores what it acknowledges.
class SpanStore : public SpanExporter {
 public:
  SpanDelivery export_spans(std::vector<Span> batch,
                            std::chrono::steady_clock::time_point deadline) override {
    ++batches;
    waited = waited || deadline > std::chrono::steady_clock::now();
    const auto delivery = fate(batches);
    for (auto& span : batch) {
      ++offered;
      if (delivery == SpanDelivery::kAcknowledged)
        stored.emplace(std::pair(span.trace_id, span.span_id), std::move(span));
    }
    return delivery;
  }
  void shutdown(std::chrono::steady_clock::time_point) override {}

  std::function<SpanDelivery(int)> fate = [](int) { return SpanDelivery::kAcknowledged; };
  std::map<std::pair<TraceId, SpanId>, Span> stored;
  int batches = 0;
  std::size_t offered = 0;
  bool waited = false;
};

class MetricStore : public MetricExporter {
 public:
  void export_metrics(std::shared_ptr<const MetricBatch> batch) override { newest = batch; }
  void shutdown(std::chrono::steady_clock::time_point) override {}
  std::shared_ptr<const MetricBatch> newest;
};

template <typename Visit>
void for_each_point(const MetricBatch& batch, Visit visit) {
  for (const auto& resource : batch.resources)
    for (const auto& metric : resource.metrics)
      if (const auto* histogram = std::get_if<Histogram>(&metric.points))
        for (const auto& point : histogram->points)
          visit(resource, metric, point);
}

class Publisher : public ::testing::Test {
 protected:
  void SetUp() override {
    pipeline.begin(kStart);
    pipeline.on_clock_offset({.ns = 1'700'000'000'000'000'000});
    pipeline.on_target(target_of(100, "shop"));
  }
  void send_many(std::uint32_t first, std::uint32_t count) {
    for (std::uint32_t i = first; i < first + count; ++i)
      pipeline.on_exchange(
          exchange_of({.status = i % 20 == 0 ? std::uint16_t{503} : std::uint16_t{200},
                       .at = 1ms * i,
                       .duration = 1us * (i * 7919 % 2'000'000),
                       .sequence = i}));
  }
  WindowPublisher publisher_with(std::vector<SpanExporter*> to, PublisherOptions options = {}) {
    return {options, counters, std::move(to), {&metrics}};
  }
  struct Ids {
    std::size_t with = 0;
    std::size_t without = 0;
    std::size_t dangling = 0;
  };
  Ids ids_of(const MetricBatch& batch) {
    Ids ids;
    for_each_point(batch, [&](const auto&, const auto& metric, const HistogramPoint& point) {
      for (const auto& exemplar : point.exemplars) {
        if (!exemplar.has_ids()) {
          ++ids.without;
          continue;
        }
        ++ids.with;
        const auto span = spans.stored.find({exemplar.trace_id, exemplar.span_id});
        if (span == spans.stored.end()) {
          ++ids.dangling;
          continue;
        }
        if (metric.name == "http.server.request.duration") {
          EXPECT_EQ(exemplar.value,
                    static_cast<double>(span->second.end.ns - span->second.start.ns) / 1e9);
        }
      }
    });
    return ids;
  }
  Counters counters;
  RequestPipeline pipeline{{.id_seed = {1}}, counters};
  SpanStore spans;
  MetricStore metrics;
};

TEST_F(Publisher, EveryIdThatGoesOutOpensAStoredSpan) {
  auto publisher = publisher_with({&spans});
  send_many(1, 2000);
  publisher.publish(pipeline.close_window(kStart + 10s));

  const auto ids = ids_of(*metrics.newest);
  EXPECT_GT(ids.with, 20u);
  EXPECT_EQ(ids.without, 0u);
  EXPECT_EQ(ids.dangling, 0u);
  EXPECT_EQ(counters.get(Counter::kExemplarsWithIds), ids.with);
  EXPECT_EQ(counters.get(Counter::kExemplarsChosen), ids.with);
  EXPECT_EQ(counters.get(Counter::kSpansChosen), spans.offered);
}

TEST_F(Publisher, HoldsThePromiseUnderEveryFateOfABatch) {
  const SpanDelivery fates[] = {SpanDelivery::kAcknowledged, SpanDelivery::kRefused,
                                SpanDelivery::kPending, SpanDelivery::kDropped};
  spans.fate = [&](int batch) { return fates[batch % 4]; };
  auto publisher = publisher_with({&spans}, {.exemplar_spans_per_batch = 3});
  std::size_t with = 0;
  std::size_t without = 0;
  for (std::uint32_t window = 0; window < 10; ++window) {
    send_many(window * 500 + 1, 500);
    publisher.publish(pipeline.close_window(kStart + 10s * (window + 1)));
    const auto ids = ids_of(*metrics.newest);
    EXPECT_EQ(ids.dangling, 0u);
    with += ids.with;
    without += ids.without;
  }
  EXPECT_GT(with, 50u);
  EXPECT_GT(without, 50u);
  EXPECT_EQ(counters.get(Counter::kExemplarsWithIds), with);
  EXPECT_EQ(counters.get(Counter::kExemplarsWithoutIds), without);
}

TEST_F(Publisher, MetricsGoOutWhenTheDeadlinePassed) {
  spans.fate = [](int) { return SpanDelivery::kPending; };
  auto publisher = publisher_with({&spans}, {.ack_deadline = 0ms});
  send_many(1, 100);
  publisher.publish(pipeline.close_window(kStart + 10s));
  ASSERT_NE(metrics.newest, nullptr);
  EXPECT_FALSE(spans.waited);
  EXPECT_EQ(ids_of(*metrics.newest).with, 0u);
  EXPECT_GT(ids_of(*metrics.newest).without, 0u);
}

TEST_F(Publisher, WithSeveralExportersAllMustHaveTheSpan) {
  // Each batch of one window has another of the fates that three exporters can give it.
  SpanStore second;
  SpanStore third;
  const auto says = [](int exporter) {
    return [exporter](int batch) {
      return (batch - 1) >> exporter & 1 ? SpanDelivery::kRefused : SpanDelivery::kAcknowledged;
    };
  };
  spans.fate = says(0);
  second.fate = says(1);
  third.fate = says(2);
  auto publisher = publisher_with({&spans, &second, &third}, {.exemplar_spans_per_batch = 1});
  send_many(1, 2000);
  auto window = pipeline.close_window(kStart + 10s);
  ASSERT_GE(window.exemplars.size(), 8u);
  window.spans.resize(8);
  std::erase_if(window.exemplars, [](const auto& exemplar) { return exemplar.span >= 8; });
  publisher.publish(window);

  std::set<SpanId> with_ids;
  for_each_point(*metrics.newest, [&](const auto&, const auto&, const HistogramPoint& point) {
    for (const auto& exemplar : point.exemplars)
      if (exemplar.has_ids()) with_ids.insert(exemplar.span_id);
  });
  EXPECT_THAT(with_ids, ::testing::ElementsAre(window.spans[0].exchange.span_id))
      << "the one that nobody refused";
  for (const auto* exporter : {&spans, &second, &third})
    EXPECT_EQ(exporter->offered, 8u) << "a refusal of one is no reason to skip another";
  EXPECT_EQ(counters.get(Counter::kExemplarsWithIds) + counters.get(Counter::kExemplarsWithoutIds),
            window.exemplars.size());
}

TEST_F(Publisher, WithoutSpanExporterIdsAreThoseTheCallerSampled) {
  auto publisher = publisher_with({});
  pipeline.on_exchange(
      with_context(exchange_of({.duration = 1ms, .queued = 0ns, .sequence = 1}), 9, kTraceSampled));
  pipeline.on_exchange(
      with_context(exchange_of({.duration = 60ms, .queued = 0ns, .sequence = 2}), 8, 0));
  pipeline.on_exchange(exchange_of({.duration = 300ms, .queued = 0ns, .sequence = 3}));
  publisher.publish(pipeline.close_window(kStart + 10s));

  std::vector<Exemplar> exemplars;
  for_each_point(*metrics.newest, [&](const auto&, const auto&, const HistogramPoint& point) {
    exemplars.insert(exemplars.end(), point.exemplars.begin(), point.exemplars.end());
  });
  ASSERT_EQ(exemplars.size(), 3u);
  EXPECT_EQ(exemplars[0].value, 0.001);
  EXPECT_EQ(exemplars[0].trace_id.bytes[15], 9);
  EXPECT_EQ(exemplars[0].span_id.bytes[7], 9) << "the caller's span, which exists upstream";
  EXPECT_FALSE(exemplars[1].has_ids());
  EXPECT_FALSE(exemplars[2].has_ids());
  EXPECT_EQ(exemplars[2].reason, ExemplarReason::kSlowest);
}

// An SDK stores the trace, under the ids that the request carried.
TEST_F(Publisher, ASkippedSpanLeavesTheIdsOfTheRequestsContext) {
  RequestPipeline skipping{{.id_seed = {1}, .skip_beside_sdk = true}, counters};
  skipping.begin(kStart);
  skipping.on_target(target_of(100, "shop"));
  auto sends = exchange_of({.role = Role::kClient, .sequence = 9, .path = "/v1/traces"});
  sends.operation.method = Method::kPost;
  skipping.on_exchange(sends);
  skipping.on_exchange(
      with_context(exchange_of({.duration = 1ms, .queued = 0ns, .sequence = 1}), 9, kTraceSampled));
  skipping.on_exchange(exchange_of({.duration = 60ms, .queued = 0ns, .sequence = 2}));
  auto publisher = publisher_with({&spans});
  publisher.publish(skipping.close_window(kStart + 10s));

  EXPECT_EQ(spans.offered, 0u);
  std::size_t with_ids = 0;
  for_each_point(*metrics.newest, [&](const auto&, const auto&, const HistogramPoint& point) {
    for (const auto& exemplar : point.exemplars) {
      if (!exemplar.has_ids()) continue;
      ++with_ids;
      EXPECT_EQ(exemplar.trace_id.bytes[15], 9);
      EXPECT_EQ(exemplar.span_id.bytes[7], 9);
    }
  });
  EXPECT_EQ(with_ids, 1u);
}

TEST_F(Publisher, PointsAreCumulativeAndExemplarsAreNot) {
  auto publisher = publisher_with({&spans});
  pipeline.on_exchange(exchange_of({.at = 1s, .duration = 4ms, .queued = 0ns, .sequence = 1}));
  publisher.publish(pipeline.close_window(kStart + 10s));
  pipeline.on_exchange(exchange_of({.at = 11s, .duration = 8ms, .queued = 0ns, .sequence = 2}));
  publisher.publish(pipeline.close_window(kStart + 20s));
  publisher.publish(pipeline.close_window(kStart + 30s));

  const auto& batch = *metrics.newest;
  ASSERT_EQ(batch.resources.size(), 1u);
  ASSERT_EQ(batch.resources[0].metrics.size(), 1u);
  const auto& metric = batch.resources[0].metrics[0];
  EXPECT_EQ(metric.name, "http.server.request.duration");
  EXPECT_EQ(metric.unit, "s");
  const auto& point = std::get<Histogram>(metric.points).points.at(0);
  EXPECT_EQ(point.count, 2u);
  EXPECT_DOUBLE_EQ(point.sum, 0.012);
  EXPECT_EQ(point.min, 0.004);
  EXPECT_EQ(point.max, 0.008);
  EXPECT_EQ(point.bucket_counts[0], 1u);
  EXPECT_EQ(point.bucket_counts[1], 1u);
  EXPECT_EQ(point.bucket_counts.size(), point.bounds->size() + 1);
  EXPECT_EQ(point.time.ns - point.start.ns, 30'000'000'000u);
  EXPECT_TRUE(point.exemplars.empty());
}

TEST_F(Publisher, ExemplarsAscendByValueAndLieInTheWindow) {
  auto publisher = publisher_with({&spans});
  send_many(1, 2000);
  const auto window = pipeline.close_window(kStart + 10s);
  publisher.publish(window);
  for_each_point(*metrics.newest, [&](const auto&, const auto&, const HistogramPoint& point) {
    EXPECT_TRUE(std::ranges::is_sorted(point.exemplars, {}, &Exemplar::value));
    for (const auto& exemplar : point.exemplars) {
      EXPECT_GE(exemplar.time, window.start);
      EXPECT_LE(exemplar.time, window.end);
    }
  });
}

TEST_F(Publisher, AReturningSeriesGetsANewStart) {
  RequestPipeline short_lived({.id_seed = {1}, .series = {.expire_after_windows = 1}}, counters);
  short_lived.begin(kStart);
  short_lived.on_target(target_of(100, "shop"));
  auto publisher = publisher_with({&spans});
  const auto only_point = [&] {
    std::vector<HistogramPoint> points;
    for_each_point(*metrics.newest,
                   [&](const auto&, const auto&, const auto& point) { points.push_back(point); });
    return points;
  };
  short_lived.on_exchange(exchange_of({.at = 1s, .queued = 0ns, .sequence = 1}));
  publisher.publish(short_lived.close_window(kStart + 10s));
  const auto before = only_point();
  publisher.publish(short_lived.close_window(kStart + 20s));
  publisher.publish(short_lived.close_window(kStart + 30s));
  EXPECT_TRUE(only_point().empty());
  short_lived.on_exchange(exchange_of({.at = 31s, .queued = 0ns, .sequence = 2}));
  publisher.publish(short_lived.close_window(kStart + 40s));
  ASSERT_EQ(only_point().size(), 1u);
  EXPECT_EQ(only_point()[0].count, 1u);
  EXPECT_EQ(only_point()[0].start.ns - before.at(0).start.ns, 30'000'000'000u);
}

TEST_F(Publisher, SpansNameTheirResource) {
  auto publisher = publisher_with({&spans});
  send_many(1, 50);
  publisher.publish(pipeline.close_window(kStart + 10s),
                    {{.resource = std::make_shared<const Resource>(), .metrics = {}}});
  ASSERT_FALSE(spans.stored.empty());
  for (const auto& [ids, span] : spans.stored) {
    ASSERT_NE(span.resource, nullptr);
    EXPECT_EQ(span.resource->attributes.at(0), (Attribute{"service.name", std::string("shop")}));
  }
  EXPECT_EQ(metrics.newest->resources.size(), 2u) << "and the agent's own";
}

}  // namespace
}  // namespace exa
