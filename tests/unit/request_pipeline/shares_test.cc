// Nobody uses up what all share: processes that pass are gathered by program, programs and targets
// are divided among those who make processes, and what expired series counted stays accounted for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <set>
#include <string>

#include "agent/request_pipeline/request_pipeline.h"
#include "agent/request_pipeline/window_publisher.h"
#include "exa/abi/event.h"
#include "synthetic_exchanges.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::exchange_of;
using ::testing::Ge;
using testing::kStart;
using ::testing::Le;

constexpr std::uint32_t kShell = 50;
constexpr std::uint32_t kStorm = 66;

std::uint64_t start_of(Duration since_start) {
  return kStart.ns + static_cast<std::uint64_t>(since_start.count());
}

// As the prober names a process.
Target named(std::uint32_t tgid, const std::string& service, Duration start,
             const std::string& executable = "curl") {
  auto resource = std::make_shared<Resource>();
  resource->attributes = {{"service.name", service},
                          {"service.instance.id", "web1-" + std::to_string(tgid) + "-7"},
                          {"process.pid", std::int64_t{tgid}},
                          {"process.executable.name", executable},
                          {"host.name", std::string("web1")}};
  return {.process = {.tgid = tgid, .start_time_ns = start_of(start)},
          .service_name = service,
          .resource = std::move(resource)};
}

struct MetricSink final : MetricExporter {
  void export_metrics(std::shared_ptr<const MetricBatch> batch) override {
    newest = std::move(batch);
  }
  void shutdown(std::chrono::steady_clock::time_point) override {}
  std::shared_ptr<const MetricBatch> newest;
};

class Shares : public ::testing::Test {
 protected:
  Shares() { restart({}); }
  void restart(RequestPipelineOptions options) {
    options.id_seed = {1};
    pipeline = std::make_unique<RequestPipeline>(options, counters);
    pipeline->begin(kStart);
    pipeline->on_clock_offset({.ns = 1'700'000'000'000'000'000});
  }
  void announce(const Target& target, Duration at, std::uint32_t parent = kShell,
                std::uint64_t cgroup = 1) {
    kernel_announces(target, at, parent, cgroup);
    pipeline->on_target(target);
  }
  // And the prober has not answered yet.
  void kernel_announces(const Target& target, Duration at, std::uint32_t parent = kShell,
                        std::uint64_t cgroup = 1) {
    exa_process_event event{};
    event.header = {.size_bytes = sizeof event,
                    .type = EXA_EVENT_PROCESS,
                    .flags = 0,
                    .reserved = {},
                    .ktime_ns = start_of(at),
                    .socket_id = 0,
                    .tgid = target.process.tgid,
                    .cpu = 0};
    event.start_time_ns = target.process.start_time_ns;
    event.parent_tgid = parent;
    event.cgroup_id = cgroup;
    std::vector<std::byte> bytes(sizeof event);
    std::memcpy(bytes.data(), &event, sizeof event);
    pipeline->on_record(bytes);
  }
  // One that reads a request on the socket and does not answer it.
  void reads_request(std::uint32_t tgid, std::uint64_t socket, Duration at) {
    constexpr std::string_view kRequest = "GET / HTTP/1.1\r\n\r\n";
    exa_chunk_event event{};
    event.header = {.size_bytes = sizeof event + 24,
                    .type = EXA_EVENT_CHUNK,
                    .flags = 0,
                    .reserved = {},
                    .ktime_ns = start_of(at),
                    .socket_id = socket,
                    .tgid = tgid,
                    .cpu = 0};
    event.length_bytes = event.captured_bytes = kRequest.size();
    event.direction = EXA_INGRESS;
    std::vector<std::byte> bytes(event.header.size_bytes);
    std::memcpy(bytes.data(), &event, sizeof event);
    std::memcpy(bytes.data() + sizeof event, kRequest.data(), kRequest.size());
    pipeline->on_record(bytes);
  }
  void exit(std::uint32_t tgid, Duration at) {
    exa_event_header event{.size_bytes = sizeof event,
                           .type = EXA_EVENT_PROCESS_EXIT,
                           .flags = 0,
                           .reserved = {},
                           .ktime_ns = start_of(at),
                           .socket_id = 0,
                           .tgid = tgid,
                           .cpu = 0};
    std::vector<std::byte> bytes(sizeof event);
    std::memcpy(bytes.data(), &event, sizeof event);
    pipeline->on_record(bytes);
  }
  void ask(std::uint32_t tgid, Duration at, Role role = Role::kClient) {
    pipeline->on_exchange(exchange_of(
        {.tgid = tgid, .role = role, .at = at, .duration = 1ms, .sequence = ++sequence}));
  }
  // A process that comes, asks once and goes.
  void pass(std::uint32_t tgid, const std::string& service, Duration at,
            std::uint32_t parent = kShell, std::uint64_t cgroup = 1) {
    announce(named(tgid, service, at), at, parent, cgroup);
    ask(tgid, at + 2ms);
    exit(tgid, at + 3ms);
  }
  static std::set<std::string> instances_of(const ClosedWindow& window,
                                            const std::string& service) {
    std::set<std::string> found;
    for (const auto& series : window.series) {
      if (series.key.overflow) continue;
      const auto& target = *window.targets.at(series.key.target);
      if (target.service_name == service)
        found.insert(attribute_text(target.resource->attributes, "service.instance.id"));
    }
    return found;
  }
  static std::uint64_t exchanges_in(const ClosedWindow& window) {
    std::uint64_t count = 0;
    for (const auto& series : window.series)
      if (series.key.kind != MetricKind::kServerQueue) count += series.delta.count();
    return count;
  }
  Counters counters;
  std::unique_ptr<RequestPipeline> pipeline;
  std::uint32_t sequence = 0;
};

TEST_F(Shares, ProcessesOfOneRequestAreOneSeriesOfTheirProgram) {
  for (std::uint32_t i = 0; i < 1000; ++i)
    pass(1000 + i, "curl", 1ms * i);
  const auto window = pipeline->close_window(kStart + 10s);

  ASSERT_EQ(window.series.size(), 1u);
  EXPECT_EQ(window.series[0].delta.count(), 1000u);
  const auto& attributes = window.targets.at(window.series[0].key.target)->resource->attributes;
  EXPECT_EQ(attribute_text(attributes, "process.pid"), "");
  EXPECT_THAT(attribute_text(attributes, "service.instance.id"),
              ::testing::StartsWith("web1-curl-"));
  EXPECT_EQ(counters.get(Counter::kExchangesPassing), 1000u);
  for (const auto& span : window.spans)
    EXPECT_EQ(window.targets.at(span.exchange.target)->service_name, "curl");
}

TEST_F(Shares, TheNextWindowsGoOnInTheSameSeries) {
  pass(1000, "curl", 1s);
  const auto first = pipeline->close_window(kStart + 10s);
  pass(1001, "curl", 11s);
  const auto second = pipeline->close_window(kStart + 20s);
  EXPECT_EQ(first.series.at(0).uid, second.series.at(0).uid);
}

TEST_F(Shares, ProgramsOfOtherContainersStayApart) {
  auto here = named(1000, "curl", 1s);
  auto there = named(1001, "curl", 1s);
  auto resource = std::make_shared<Resource>(*there.resource);
  resource->attributes.push_back({"container.id", std::string(64, 'a')});
  there.resource = resource;
  announce(here, 1s);
  announce(there, 1s);
  ask(1000, 1100ms);
  ask(1001, 1100ms);
  EXPECT_EQ(instances_of(pipeline->close_window(kStart + 10s), "curl").size(), 2u);
}

TEST_F(Shares, AServiceThatStaysIsAnInstance) {
  announce(named(100, "shop", 1s, "python3"), 1s);
  ask(100, 2500ms, Role::kServer);
  EXPECT_THAT(instances_of(pipeline->close_window(kStart + 10s), "shop"),
              ElementsAre("web1-100-7"));
  ask(100, 11s, Role::kServer);
  ask(100, 11s, Role::kClient);
  EXPECT_THAT(instances_of(pipeline->close_window(kStart + 20s), "shop"),
              ElementsAre("web1-100-7"));
  EXPECT_EQ(counters.get(Counter::kExchangesPassing), 0u);
}

TEST_F(Shares, AServiceThatWasThereBeforeIsAnInstanceAtOnce) {
  announce(named(100, "shop", -100ms, "python3"), 10ms);
  ask(100, 20ms, Role::kServer);
  EXPECT_THAT(instances_of(pipeline->close_window(kStart + 10s), "shop"),
              ElementsAre("web1-100-7"));
}

// Start times count the time in which the machine slept, event times do not.
TEST_F(Shares, KnowsTheAgeOfAProcessAfterTheMachineSlept) {
  announce(named(100, "probe", 1h + 1s), 1s);
  ask(100, 1100ms);
  EXPECT_EQ(counters.get(Counter::kExchangesPassing), 1u);
  ask(100, 7s);
  EXPECT_EQ(counters.get(Counter::kExchangesPassing), 1u);
}

TEST_F(Shares, AForkStormOfDistinctNamesLeavesTheNextServiceItsPlace) {
  for (std::uint32_t i = 0; i < 20'000; ++i)
    pass(1000 + i, "svc-" + std::to_string(i), 400us * i, kStorm);
  pass(70'000, "billing", 9s);
  announce(named(100, "shop", 6s, "python3"), 6s);
  ask(100, 9s, Role::kServer);
  const auto window = pipeline->close_window(kStart + 10s);

  EXPECT_EQ(instances_of(window, "billing").size(), 1u) << "one that passes";
  EXPECT_EQ(instances_of(window, "shop").size(), 1u) << "one that stays";
  EXPECT_EQ(exchanges_in(window), 20'002u);
  EXPECT_EQ(counters.get(Counter::kSeriesOverflow), counters.get(Counter::kOverflowNoProgram));
  EXPECT_EQ(counters.get(Counter::kOverflowNoProgram), 20'000u - 128u) << "half of 256 programs";
}

TEST_F(Shares, SeveralStormsLeaveAPlaceToo) {
  for (std::uint32_t i = 0; i < 2'000; ++i)
    for (std::uint32_t storm = 0; storm < 4; ++storm)
      pass(1000 + 4 * i + storm, "svc-" + std::to_string(4 * i + storm), 1ms * i, kStorm + storm,
           /*cgroup=*/storm);
  pass(70'000, "billing", 9s, kShell, /*cgroup=*/9);
  EXPECT_EQ(instances_of(pipeline->close_window(kStart + 10s), "billing").size(), 1u);
}

TEST_F(Shares, ACgroupOfParentsThatPassLeavesTheOthersTheirPlace) {
  for (std::uint32_t i = 0; i < 2'000; ++i)
    pass(1000 + i, "svc-" + std::to_string(i), 1ms * i, /*parent=*/100'000 + i, /*cgroup=*/66);
  pass(70'000, "billing", 9s, kShell, /*cgroup=*/9);
  EXPECT_EQ(instances_of(pipeline->close_window(kStart + 10s), "billing").size(), 1u);
}

TEST_F(Shares, ACrowdOfThosePassedIsForgottenSoon) {
  for (std::uint32_t i = 0; i < 300; ++i)
    pass(1000 + i, "svc-" + std::to_string(i), 1ms * i, kStorm + i % 8, i % 8);
  EXPECT_GT(pipeline->close_window(kStart + 10s).series.size(), 200u);
  for (int window = 2; window <= 4; ++window)
    (void)pipeline->close_window(kStart + 10s * window);
  EXPECT_LE(pipeline->live_series(), 126u) << "no longer crowded";
}

// Where processes that stay have filled a metric, a new one is seen under its program's name.
TEST_F(Shares, AFullMetricStillShowsANewService) {
  restart({.series = {.max_series_per_metric = 20, .max_series_per_service = 20}});
  for (std::uint32_t i = 0; i < 40; ++i) {
    announce(named(1000 + i, "svc-" + std::to_string(i), 1s), 1s, kStorm);
    ask(1000 + i, 7s);
  }
  announce(named(100, "billing", 1s), 1s);
  ask(100, 8s);
  const auto window = pipeline->close_window(kStart + 10s);
  ASSERT_EQ(instances_of(window, "billing").size(), 1u);
  EXPECT_THAT(*instances_of(window, "billing").begin(), ::testing::StartsWith("web1-curl-"));
  EXPECT_EQ(exchanges_in(window), 41u);
}

TEST_F(Shares, TheDeadGiveUpTheirTargetsFirst) {
  restart({.max_targets = 64});
  announce(named(100, "shop", -1s), 0s);
  ask(100, 1ms, Role::kServer);
  for (std::uint32_t i = 0; i < 5'000; ++i)
    pass(1000 + i, "curl", 1ms * i, kStorm);
  EXPECT_EQ(counters.get(Counter::kTargetsOverflow), 0u);
  EXPECT_EQ(counters.get(Counter::kTargetsShare), 0u);
  EXPECT_LE(pipeline->targets(), 64u);
  const auto window = pipeline->close_window(kStart + 10s);
  EXPECT_THAT(instances_of(window, "shop"), ElementsAre("web1-100-7"));
  EXPECT_EQ(instances_of(window, "curl").size(), 1u);
  EXPECT_EQ(exchanges_in(window), 5'001u);
}

TEST_F(Shares, AParentOfManyLivingProcessesTakesHalfOfTheTargets) {
  restart({.max_targets = 64});
  for (std::uint32_t i = 0; i < 200; ++i)
    announce(named(1000 + i, "svc", 1ms * i), 1ms * i, kStorm);
  EXPECT_EQ(pipeline->targets(), 32u);
  EXPECT_EQ(counters.get(Counter::kTargetsShare), 2u * 168u) << "at its record and at its target";
  EXPECT_EQ(counters.get(Counter::kTargetsOverflow), 0u);
  pass(70'000, "billing", 1s);
  EXPECT_EQ(instances_of(pipeline->close_window(kStart + 10s), "billing").size(), 1u);
}

// Where rules may exclude a process, exchanges wait for its verdict: a flood of one that nobody has
// judged costs none of another's.
TEST_F(Shares, AFloodOfTheUnjudgedCostsNoOtherItsExchanges) {
  restart({.max_held_exchanges = 64});
  Target rule;
  rule.observed = false;
  rule.resource = std::make_shared<Resource>();
  pipeline->on_target(rule);
  const auto quiet = named(100, "shop", 0s);
  kernel_announces(quiet, 1ms);
  kernel_announces(named(666, "flood", 0s), 1ms, kStorm);
  for (int i = 0; i < 10; ++i)
    ask(100, 2ms);
  for (int i = 0; i < 1'000; ++i)
    ask(666, 3ms);
  for (int i = 0; i < 5; ++i)
    ask(100, 4ms);
  pipeline->on_target(quiet);
  EXPECT_EQ(counters.get(Counter::kExchangesRecorded), 15u);
  EXPECT_EQ(counters.get(Counter::kHeldOverflow), 0u);
  EXPECT_EQ(counters.get(Counter::kHeldOverShare), 1'000u - 27u) << "half of the 54 that were free";
}

TEST_F(Shares, WhoLostConnectionsIsNamed) {
  restart({.tracker = {.connections = 64}});
  kernel_announces(named(100, "shop", 0s), 1ms);
  kernel_announces(named(666, "flood", 0s), 1ms, kStorm);
  for (std::uint64_t socket = 1; socket <= 10; ++socket)
    reads_request(100, socket, 2ms);
  for (std::uint64_t socket = 100; socket < 200; ++socket)
    reads_request(666, socket, 3ms);
  const auto losses = pipeline->share_losses(8);
  ASSERT_EQ(losses.size(), 1u);
  EXPECT_EQ(losses[0].tgid, 666u);
  EXPECT_EQ(losses[0].lost[static_cast<std::size_t>(Place::kConnection)], 46u);
  EXPECT_EQ(counters.get(Counter::kConnectionsOverShare), 46u);
}

TEST_F(Shares, LivingAndRetiredSeriesAddUpToEveryExchangeOnEveryPage) {
  restart({.series = {.expire_after_windows = 2}});
  announce(named(100, "shop", -1s), 0s);
  MetricSink page;
  WindowPublisher publisher({}, counters, {}, {&page});
  std::uint64_t retired_most = 0;
  for (int window = 1; window <= 12; ++window) {
    const auto begin = 10s * (window - 1);
    if (window % 4 == 1) ask(100, begin + 1s, Role::kServer);
    if (window % 4 != 2)
      pass(static_cast<std::uint32_t>(1000 + window), "job" + std::to_string(window % 3),
           begin + 2s);
    auto closed = pipeline->close_window(kStart + 10s * window);
    const auto retired =
        counters.get(Counter::kRetiredServer) + counters.get(Counter::kRetiredClient);
    const auto queued_retired = counters.get(Counter::kQueueTimeRetired);
    publisher.publish(closed);
    std::uint64_t shown = 0;
    std::uint64_t queued = 0;
    for (const auto& resource : page.newest->resources)
      for (const auto& metric : resource.metrics)
        for (const auto& point : std::get<Histogram>(metric.points).points)
          (metric.name == "exemplar_agent.http.server.queue.duration" ? queued : shown) +=
              point.count;
    EXPECT_EQ(shown + retired, counters.get(Counter::kExchangesRecorded)) << window;
    EXPECT_EQ(queued + queued_retired, static_cast<std::uint64_t>((window + 3) / 4)) << window;
    retired_most = std::max(retired_most, retired);
  }
  EXPECT_GT(retired_most, 4u);
}

}  // namespace
}  // namespace exa
