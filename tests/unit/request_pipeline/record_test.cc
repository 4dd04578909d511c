// Records as the kernel writes them, through the whole way to a closed window.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <map>
#include <string>
#include <string_view>

#include "agent/request_pipeline/cumulative_series.h"
#include "agent/request_pipeline/request_pipeline.h"
#include "exa/abi/event.h"
#include "synthetic_exchanges.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using testing::kStart;
using ::testing::SizeIs;
using testing::target_of;

constexpr std::uint32_t kServer = 100;
constexpr std::uint32_t kClient = 200;
constexpr std::string_view kRequest = "GET /checkout?card=4711 HTTP/1.1\r\nHost: shop\r\n\r\n";
constexpr std::string_view kAnswer = "HTTP/1.1 503 Busy\r\nContent-Length: 6\r\n\r\nlater\n";

class Records : public ::testing::Test {
 protected:
  void SetUp() override { start({}); }
  void start(RequestPipelineOptions options) {
    options.id_seed = {1, 2, 3};
    pipeline_ = std::make_unique<RequestPipeline>(options, counters_);
    pipeline_->begin(kStart);
    pipeline_->on_clock_offset({.ns = 1'700'000'000'000'000'000});
    pipeline_->on_target(target_of(kServer, "shop"));
    pipeline_->on_target(target_of(kClient, "till"));
  }

  template <typename Record>
  Record record_of(exa_event_type type, Duration at, std::uint32_t tgid) {
    Record record{};
    record.header.size_bytes = sizeof record;
    record.header.type = static_cast<__u8>(type);
    record.header.ktime_ns = (kStart + at).ns;
    record.header.socket_id = tgid + 1'000;  // one socket a process
    record.header.tgid = tgid;
    return record;
  }
  template <typename Record>
  void write(const Record& record, std::string_view payload = {}) {
    std::vector<std::byte> bytes(sizeof record + (payload.size() + 7) / 8 * 8);
    std::memcpy(bytes.data(), &record, sizeof record);
    std::ranges::transform(payload, bytes.begin() + sizeof record,
                           [](char c) { return static_cast<std::byte>(c); });
    pipeline_->on_record(bytes);
  }
  void socket(Duration at, std::uint32_t tgid, std::uint16_t local, std::uint16_t remote) {
    auto record = record_of<exa_socket_event>(EXA_EVENT_SOCKET, at, tgid);
    record.family = 2;  // AF_INET
    for (auto* const address : {record.local_address, record.remote_address})
      std::memcpy(address, "\x7f\0\0\1", 4);
    record.local_port = local;
    record.remote_port = remote;
    write(record);
  }
  void chunk(Duration at, std::uint32_t tgid, exa_direction direction, std::string_view text,
             std::uint32_t sequence, Duration arrived = 0ns) {
    auto record = record_of<exa_chunk_event>(EXA_EVENT_CHUNK, at, tgid);
    auto& flows = flows_[tgid == kServer ? 0 : 1];
    record.header.size_bytes += static_cast<__u32>((text.size() + 7) / 8 * 8);
    record.position = flows[direction].position;
    record.previous_last_byte_ns = flows[direction].last_byte_ns;
    record.other = flows[1 - direction];
    if (arrived.count() != 0) record.arrival_ns = (kStart + arrived).ns;
    record.length_bytes = record.captured_bytes = static_cast<__u32>(text.size());
    record.tcp_sequence = sequence;
    record.direction = static_cast<__u8>(direction);
    flows[direction] = {.position = record.position + text.size(),
                        .last_byte_ns = record.header.ktime_ns};
    write(record, text);
  }
  // One request over loopback, seen at both ends.
  void one_request(Duration at, std::uint32_t sequence) {
    chunk(at, kClient, EXA_EGRESS, kRequest, sequence);
    chunk(at + 3ms, kServer, EXA_INGRESS, kRequest, sequence, at + 1ms);
    chunk(at + 10ms, kServer, EXA_EGRESS, kAnswer, sequence + 77);
    chunk(at + 11ms, kClient, EXA_INGRESS, kAnswer, sequence + 77);
  }
  static const WindowSeries* find(const ClosedWindow& window, MetricKind kind) {
    for (const auto& series : window.series)
      if (series.key.kind == kind) return &series;
    return nullptr;
  }

  Counters counters_;
  std::unique_ptr<RequestPipeline> pipeline_;
  std::array<std::array<exa_direction_state, 2>, 2> flows_{};  // of server and client
};

TEST_F(Records, OfBothEndsBecomeHistogramsExemplarsAndLinkedSpans) {
  socket(1s, kClient, 40'000, 80);
  socket(1s, kServer, 80, 40'000);
  one_request(1s, 5'000);
  one_request(2s, 6'000);

  const auto window = pipeline_->close_window(kStart + 10s);

  const auto* server = find(window, MetricKind::kServerDuration);
  const auto* client = find(window, MetricKind::kClientDuration);
  const auto* queue = find(window, MetricKind::kServerQueue);
  ASSERT_TRUE(server && client && queue);
  EXPECT_EQ(server->delta.count(), 2u);
  EXPECT_EQ(server->key.status, 503);
  EXPECT_EQ(client->delta.count(), 2u);
  EXPECT_EQ(queue->delta.count(), 2u);

  ASSERT_THAT(window.spans, SizeIs(2)) << "of two alike requests one explains the bucket";
  for (const auto& span : window.spans) {
    const auto& exchange = span.exchange;
    const bool is_server = exchange.role == Role::kServer;
    EXPECT_EQ(exchange.duration(), is_server ? 7ms : 11ms);
    EXPECT_EQ(exchange.operation.name.view(), "/checkout");
    EXPECT_EQ(exchange.host.view(), "shop");
    EXPECT_EQ(exchange.response_body_bytes, 6u);
    EXPECT_EQ(window.targets.at(exchange.target)->service_name, is_server ? "shop" : "till");
    if (!is_server) continue;
    EXPECT_EQ(elapsed(exchange.arrival, exchange.read), 2ms);
    const auto caller = std::ranges::find_if(window.spans, [&](const auto& other) {
      return other.exchange.role == Role::kClient && other.exchange.span_id == span.purpose.parent;
    });
    ASSERT_NE(caller, window.spans.end());
    EXPECT_EQ(caller->exchange.trace_id, exchange.trace_id);
    EXPECT_EQ(caller->exchange.request_sequence, exchange.request_sequence);
  }
  EXPECT_EQ(counters_.get(Counter::kRecordsConsumed), 10u);
  EXPECT_EQ(counters_.get(Counter::kChunksBelonging), 8u);
  EXPECT_EQ(counters_.get(Counter::kExchangesRecorded), 4u);
}

TEST_F(Records, AnAnswerAcrossTheEndOfAWindowCountsWhereItEnds) {
  socket(1s, kServer, 80, 40'000);
  chunk(1s, kServer, EXA_INGRESS, kRequest, 5'000);
  chunk(2s, kServer, EXA_EGRESS, kAnswer.substr(0, 30), 1);
  EXPECT_EQ(find(pipeline_->close_window(kStart + 10s), MetricKind::kServerDuration), nullptr);
  chunk(11s, kServer, EXA_EGRESS, kAnswer.substr(30), 31);
  const auto window = pipeline_->close_window(kStart + 20s);
  const auto* server = find(window, MetricKind::kServerDuration);
  ASSERT_TRUE(server);
  EXPECT_EQ(server->delta.count(), 1u);
  ASSERT_THAT(window.spans, SizeIs(1));
  EXPECT_EQ(window.spans[0].exchange.duration(), 10s);
}

TEST_F(Records, ABodyThatWasNotCapturedEndsWhenItsLastByteMoved) {
  socket(1s, kServer, 80, 40'000);
  chunk(1s, kServer, EXA_INGRESS, kRequest, 5'000);
  chunk(2s, kServer, EXA_EGRESS, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", 1);
  auto position = record_of<exa_position_event>(EXA_EVENT_POSITION, 4s, kServer);
  position.direction[EXA_INGRESS] = flows_[0][EXA_INGRESS];
  position.direction[EXA_EGRESS] = {.position = flows_[0][EXA_EGRESS].position + 1'000'000,
                                    .last_byte_ns = (kStart + 3s).ns};
  write(position);

  const auto window = pipeline_->close_window(kStart + 10s);
  ASSERT_THAT(window.spans, SizeIs(1));
  EXPECT_EQ(window.spans[0].exchange.duration(), 2s) << "the last byte's time, not the sweep's";
}

TEST_F(Records, NamesOfServersStayWhereWindowsAreJoined) {
  socket(1s, kClient, 40'000, 80);
  const auto ask = [&](Duration at, std::string_view request) {
    chunk(at, kClient, EXA_EGRESS, request, 1);
    chunk(at + 1s, kClient, EXA_INGRESS, kAnswer, 1);
  };
  ask(1s, kRequest);
  auto joined = pipeline_->close_window(kStart + 10s);
  ask(11s, kRequest);
  ask(13s, "GET / HTTP/1.1\r\nHost: Till:81\r\n\r\n");
  joined.absorb(pipeline_->close_window(kStart + 20s));

  CumulativeSeries series;
  series.add(joined);
  std::map<std::string, std::uint64_t> requests;
  for (const auto& resource : series.points(joined, {}, {}).resources)
    for (const auto& metric : resource.metrics)
      for (const auto& point : histogram_points(metric))
        requests[attribute_text(point.attributes, "server.address")] += point.count;
  EXPECT_EQ(requests, (std::map<std::string, std::uint64_t>{{"shop", 2}, {"till", 1}}));
}

TEST_F(Records, OnlyDurationsOfRequestsAreToldAsRequests) {
  start({.body_sizes = true});
  socket(1s, kClient, 40'000, 80);
  socket(1s, kServer, 80, 40'000);
  one_request(1s, 5'000);
  const auto window = pipeline_->close_window(kStart + 10s);

  CumulativeSeries series;
  series.add(window);
  std::map<std::string, std::string> told;
  for (const auto& resource : series.points(window, {}, {}).resources)
    for (const auto& metric : resource.metrics)
      for (const auto& point : histogram_points(metric))
        if (const auto* const requests = point.requests.get())
          told[metric.name] = (requests->at_client ? "client " : "server ") + requests->asked +
                              " " + requests->answered;
  EXPECT_EQ(told, (std::map<std::string, std::string>{
                      {"http.client.request.duration", "client GET 503"},
                      {"http.server.request.duration", "server GET 503"}}));
}

TEST_F(Records, SizesOfBodiesCountWhereTheyAreAskedFor) {
  start({.body_sizes = true});
  socket(1s, kClient, 40'000, 80);
  socket(1s, kServer, 80, 40'000);
  one_request(1s, 5'000);
  const auto window = pipeline_->close_window(kStart + 10s);

  const auto* request = find(window, MetricKind::kServerRequestSize);
  const auto* response = find(window, MetricKind::kServerResponseSize);
  const auto* duration = find(window, MetricKind::kServerDuration);
  ASSERT_TRUE(request && response && duration);
  EXPECT_EQ(request->delta.count(), 1u);
  EXPECT_EQ(request->delta.max, 0u);
  EXPECT_EQ(response->delta.max, 6u);
  EXPECT_STREQ(describe(response->key).name, "http.server.response.body.size");
  EXPECT_STREQ(row_of(response->key.kind).unit, "By");
  EXPECT_EQ(attributes_of(response->key), attributes_of(duration->key));
  for (const auto& exemplar : window.exemplars) {
    if (exemplar.series != response->uid) continue;
    EXPECT_NE(exemplar.reason, ExemplarReason::kSlowest);
  }
}

TEST_F(Records, OpenRequestsCountWhereTheyAreAskedForWhileTheyAreOpen) {
  start({.active_requests = true});
  socket(1s, kClient, 40'000, 80);
  socket(1s, kServer, 80, 40'000);
  chunk(1s, kClient, EXA_EGRESS, kRequest, 5'000);
  chunk(1s, kServer, EXA_INGRESS, kRequest, 5'000);
  CumulativeSeries series;
  const auto open_in = [&](const ClosedWindow& window) {
    series.add(window);
    std::vector<NumberPoint> points;
    for (const auto& resource : series.points(window, {}, {}).resources)
      for (const auto& metric : resource.metrics)
        if (metric.name == "http.server.active_requests") {
          EXPECT_EQ(metric.unit, "{request}");
          const auto& sum = std::get<Sum>(metric.points);
          EXPECT_FALSE(sum.monotonic);
          points = sum.points;
        }
    EXPECT_THAT(points, SizeIs(1));
    return points.empty() ? -1 : std::get<std::int64_t>(points.front().value);
  };
  EXPECT_EQ(open_in(pipeline_->close_window(kStart + 10s)), 1);
  EXPECT_EQ(open_in(pipeline_->close_window(kStart + 20s)), 1);
  chunk(21s, kServer, EXA_EGRESS, kAnswer, 1);
  const auto answered = pipeline_->close_window(kStart + 30s);
  EXPECT_NE(find(answered, MetricKind::kServerDuration), nullptr);
  EXPECT_EQ(open_in(answered), 0);
}

TEST_F(Records, OfTwoWindowsThatBecameOneTheLaterTellsWhatIsOpen) {
  start({.active_requests = true});
  socket(1s, kServer, 80, 40'000);
  chunk(1s, kServer, EXA_INGRESS, kRequest, 5'000);
  auto window = pipeline_->close_window(kStart + 10s);
  window.absorb(pipeline_->close_window(kStart + 20s));
  const auto* open = find(window, MetricKind::kServerActive);
  ASSERT_NE(open, nullptr);
  EXPECT_EQ(open->delta.count(), 1u);
  const auto attributes = attributes_of(open->key);
  EXPECT_EQ(attributes, (Attributes{{"http.request.method", "GET"}, {"url.scheme", "http"}}));

  chunk(21s, kServer, EXA_EGRESS, kAnswer, 1);
  window.absorb(pipeline_->close_window(kStart + 30s));
  open = find(window, MetricKind::kServerActive);
  ASSERT_NE(open, nullptr);
  EXPECT_EQ(open->delta.count(), 0u);
}

TEST_F(Records, OpenRequestsOfAProcessThatIsNotObservedStayUnseen) {
  start({.active_requests = true});
  auto excluded = target_of(kServer, "shop");
  excluded.observed = false;
  pipeline_->on_target(excluded);
  socket(1s, kServer, 80, 40'000);
  chunk(1s, kServer, EXA_INGRESS, kRequest, 5'000);
  EXPECT_EQ(find(pipeline_->close_window(kStart + 10s), MetricKind::kServerActive), nullptr);
}

TEST_F(Records, SizesOfBodiesAreNotCountedOtherwise) {
  socket(1s, kServer, 80, 40'000);
  chunk(1s, kServer, EXA_INGRESS, kRequest, 5'000);
  chunk(2s, kServer, EXA_EGRESS, kAnswer, 1);
  const auto window = pipeline_->close_window(kStart + 10s);
  EXPECT_NE(find(window, MetricKind::kServerDuration), nullptr);
  EXPECT_EQ(find(window, MetricKind::kServerResponseSize), nullptr);
}

}  // namespace
}  // namespace exa
