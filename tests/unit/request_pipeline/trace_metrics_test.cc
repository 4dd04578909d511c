// Span metrics and the graph of services, as a scraper or a Collector gets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "agent/request_pipeline/request_pipeline.h"
#include "agent/request_pipeline/window_publisher.h"
#include "synthetic_exchanges.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using testing::exchange_of;
using testing::kStart;
using testing::Request;
using testing::target_of;
using ::testing::UnorderedElementsAre;

class Kept : public SpanExporter, public MetricExporter {
 public:
  SpanDelivery export_spans(std::vector<Span>, std::chrono::steady_clock::time_point) override {
    return SpanDelivery::kAcknowledged;
  }
  void export_metrics(std::shared_ptr<const MetricBatch> batch) override { newest = batch; }
  void shutdown(std::chrono::steady_clock::time_point) override {}

  [[nodiscard]] const Metric* find(const std::string& name) const {
    for (const auto& resource : newest->resources)
      for (const auto& metric : resource.metrics)
        if (metric.name == name) return &metric;
    return nullptr;
  }
  std::shared_ptr<const MetricBatch> newest;
};

std::string text_of(const Attributes& attributes) {
  std::string text;
  for (const auto& attribute : attributes)
    text += (text.empty() ? "" : " ") + attribute_text(attributes, attribute.key);
  return text;
}

class TraceMetrics : public ::testing::Test {
 protected:
  void SetUp() override {
    pipeline.begin(kStart);
    pipeline.on_target(target_of(100, "shop"));
    pipeline.on_target(target_of(200, "cart"));
  }
  void send(Request request, SocketId socket = 7, bool has_context = false) {
    request.sequence = ++sequence_;
    auto exchange = exchange_of(request);
    exchange.socket = socket;
    pipeline.on_exchange(has_context ? testing::with_context(exchange, 9, 1) : exchange);
  }
  // Both ends of a connection between two services of this node.
  void ask(Request request, bool has_context = false) {
    request.role = Role::kClient;
    request.tgid = 100;
    send(request, 1, has_context);
    request.role = Role::kServer;
    request.tgid = 200;
    request.duration /= 2;
    send(request, 2, has_context);
  }
  void close() {
    time_ += 10s;
    publisher.publish(pipeline.close_window(kStart + time_));
  }
  // "labels=value" of each point.
  [[nodiscard]] std::vector<std::string> values_of(const std::string& name) const {
    std::vector<std::string> texts;
    const auto* const metric = store.find(name);
    if (metric == nullptr) return texts;
    for (const auto& point : counter_points(*metric))
      texts.push_back(text_of(point.attributes) + "=" +
                      std::to_string(std::get<std::int64_t>(point.value)));
    for (const auto& point : histogram_points(*metric))
      texts.push_back(text_of(point.attributes) + "=" + std::to_string(point.count));
    return texts;
  }

  Counters counters;
  RequestPipeline pipeline{{.id_seed = {1},
                            .routes = {.known = {{.service = "shop", .path = "/orders/{id}"}},
                                       .ignored = {{.service = "", .path = "/healthz"}}},
                            .service_graph = true},
                           counters};
  Kept store;
  WindowPublisher publisher{
      {.span_metrics = true, .service_graph = true}, counters, {&store}, {&store}};

 private:
  std::uint32_t sequence_ = 0;
  Duration time_{};
};

TEST_F(TraceMetrics, CountEachRequestUnderTheNameOfItsSpan) {
  for (int i = 0; i < 5; ++i)
    send({.path = "/orders/4711"});
  send({.status = 500, .path = "/orders/4712"});
  send({.path = "/cart"});
  send({.role = Role::kClient, .status = 404, .path = "/orders/1"});
  close();
  const auto calls = values_of("traces_spanmetrics_calls");
  EXPECT_THAT(calls,
              UnorderedElementsAre("shop GET /orders/{id} SPAN_KIND_SERVER STATUS_CODE_UNSET=5",
                                   "shop GET /orders/{id} SPAN_KIND_SERVER STATUS_CODE_ERROR=1",
                                   "shop GET SPAN_KIND_SERVER STATUS_CODE_UNSET=1",
                                   "shop GET SPAN_KIND_CLIENT STATUS_CODE_ERROR=1"));
  EXPECT_EQ(values_of("traces_spanmetrics_latency"), calls);
}

TEST_F(TraceMetrics, AddUpOverWindowsAndInstances) {
  pipeline.on_target(target_of(300, "shop"));
  for (int window = 0; window < 3; ++window) {
    send({.path = "/cart"});
    send({.tgid = 300, .path = "/cart"});
    close();
  }
  EXPECT_THAT(values_of("traces_spanmetrics_calls"),
              UnorderedElementsAre("shop GET SPAN_KIND_SERVER STATUS_CODE_UNSET=6"));
}

TEST_F(TraceMetrics, ShowExemplarsOfWhichACounterHasTheLatest) {
  send({.at = 1s, .duration = 700ms, .path = "/cart"});
  send({.at = 2s, .duration = 3ms, .path = "/cart"});
  close();
  const auto latency = histogram_points(*store.find("traces_spanmetrics_latency"))[0];
  ASSERT_EQ(latency.exemplars.size(), 2u);
  EXPECT_EQ(latency.exemplars[0].value, 0.003);
  EXPECT_EQ(latency.exemplars[1].value, 0.7);
  const auto calls = counter_points(*store.find("traces_spanmetrics_calls"))[0];
  ASSERT_EQ(calls.exemplars.size(), 1u);
  EXPECT_EQ(calls.exemplars[0].span_id, latency.exemplars[0].span_id);
  EXPECT_EQ(calls.exemplars[0].value, 1);
  close();
  EXPECT_TRUE(counter_points(*store.find("traces_spanmetrics_calls"))[0].exemplars.empty());
}

TEST_F(TraceMetrics, RoutesAreLabelsAndIgnoredOnesAreNotCounted) {
  send({.path = "/orders/4711"});
  send({.path = "/healthz"});
  send({.tgid = 200, .path = "/healthz"});
  close();
  const auto points = histogram_points(*store.find("http.server.request.duration"));
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(attribute_text(points[0].attributes, "http.route"), "/orders/{id}");
  EXPECT_EQ(counters.get(Counter::kExchangesIgnored), 2u);
  EXPECT_EQ(counters.get(Counter::kExchangesRecorded), 1u);
}

TEST_F(TraceMetrics, TheGraphHasAnEdgeBetweenTwoServices) {
  for (const auto port : {40'001, 40'002}) {
    ask({.client_port = static_cast<std::uint16_t>(port)});
    ask({.client_port = static_cast<std::uint16_t>(port)}, true);
  }
  ask({.status = 500, .client_port = 40'001});
  close();
  EXPECT_THAT(values_of("traces_service_graph_request"), UnorderedElementsAre("shop cart=5"));
  EXPECT_THAT(values_of("traces_service_graph_request_failed"),
              UnorderedElementsAre("shop cart=1"));
  EXPECT_THAT(values_of("traces_service_graph_request_client_seconds"),
              UnorderedElementsAre("shop cart=5"));
  EXPECT_THAT(values_of("traces_service_graph_request_server_seconds"),
              UnorderedElementsAre("shop cart=5"));
  const auto client = histogram_points(*store.find("traces_service_graph_request_client_seconds"));
  const auto server = histogram_points(*store.find("traces_service_graph_request_server_seconds"));
  EXPECT_DOUBLE_EQ(client[0].sum, 0.05);
  EXPECT_DOUBLE_EQ(server[0].sum, 0.025) << "each end measured itself";
}

TEST_F(TraceMetrics, WhoIsNotObservedIsAVirtualNode) {
  send({.role = Role::kClient});                         // asks somebody elsewhere
  send({.tgid = 200, .client_port = 50'000}, 9);         // is asked by nobody who is traced
  send({.tgid = 200, .client_port = 50'001}, 10, true);  // by somebody who is, elsewhere
  close();
  close();  // their other ends might have been in this window
  EXPECT_THAT(values_of("traces_service_graph_request"),
              UnorderedElementsAre("shop cart=1", "user cart virtual_node=1"))
      << "cart listens where shop asked";
}

TEST_F(TraceMetrics, AServerElsewhereIsCalledAsItsClientCallsIt) {
  send({.role = Role::kClient});
  auto exchange = exchange_of({.role = Role::kClient});
  exchange.host.assign("SHOP.example:8080");
  exchange.socket = 8;
  pipeline.on_exchange(exchange);
  exchange.host.assign("a\nb=\"c\"");
  exchange.socket = 9;
  pipeline.on_exchange(exchange);
  close();
  close();
  EXPECT_THAT(
      values_of("traces_service_graph_request"),
      UnorderedElementsAre("shop shop.example virtual_node=2", "shop 10.0.0.2 virtual_node=1"))
      << "what is no name of a host is none";
}

TEST_F(TraceMetrics, ServicesShareTheirTableAndIdleNamesMakeRoom) {
  ClosedWindow window;
  SeriesUid uid = 0;
  const auto of = [&](TargetId target, const std::string& service, unsigned names) {
    window.targets[target] = std::make_shared<const Target>(target_of(target, service));
    for (unsigned i = 0; i < names; ++i) {
      WindowSeries series;
      series.uid = ++uid;
      series.key.kind = MetricKind::kServerDuration;
      series.key.target = target;
      series.key.name = ++uid;
      window.names[series.key.name].assign("/" + service + std::to_string(uid));
      series.delta.add(0, 1);
      window.series.push_back(series);
    }
  };
  SpanMetrics metrics;
  const auto series_of = [&](const std::string& service) {
    metrics.add(window);
    std::size_t count = 0;
    const auto all = metrics.points(window, {});
    for (const auto& point : counter_points(all[0]))
      count += attribute_text(point.attributes, "service") == service ? 1 : 0;
    return count;
  };
  of(1, "greedy", 5000);
  EXPECT_EQ(series_of("greedy"), SpanMetrics::kMostSeries / 2);
  const auto greedy = window.series;
  window = {};
  of(2, "modest", 10);
  EXPECT_EQ(series_of("modest"), 10u);
  window = {};
  for (const auto& series : greedy)
    window.expired.push_back(series.uid);
  for (int idle = 0; idle < 31; ++idle) {
    metrics.add(window);
    window = {};
  }
  of(1, "greedy", 5000);
  EXPECT_EQ(series_of("greedy"), SpanMetrics::kMostSeries / 2 - 5) << "of what modest left";
}

TEST_F(TraceMetrics, TheGraphLeavesOutWhatHasNoRoom) {
  for (std::size_t i = 0; i < GraphEnds::kMostEnds + 10; ++i)
    send({.role = Role::kClient}, 1000 + i);
  close();
  close();
  EXPECT_EQ(counters.get(Counter::kGraphLeftOut), 10u);
  EXPECT_THAT(values_of("traces_service_graph_request"),
              UnorderedElementsAre("shop shop.example virtual_node=8192"));
}

TEST(NoTraceMetrics, WhereNobodyAsksForThem) {
  Counters counters;
  RequestPipeline pipeline{{.id_seed = {1}}, counters};
  Kept store;
  WindowPublisher publisher{{}, counters, {&store}, {&store}};
  pipeline.begin(kStart);
  pipeline.on_target(target_of(100, "shop"));
  pipeline.on_exchange(exchange_of({}));
  publisher.publish(pipeline.close_window(kStart + 10s));
  EXPECT_EQ(store.find("traces_spanmetrics_calls"), nullptr);
  EXPECT_EQ(store.find("traces_service_graph_request"), nullptr);
}

}  // namespace
}  // namespace exa
