// What it costs to count one request: its series found, its value added, and its candidacy for the
// exemplars of the window. With and without exemplars in turns, so that both see the same machine.
// Targets: 25 ns in all, 5 ns for the exemplars, no allocation.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "agent/config/policy_text.h"
#include "agent/exemplars/exemplar_sampler.h"
#include "agent/metrics/exponential_histogram.h"
#include "agent/metrics/series_registry.h"
#include "agent/trace/ids/randomness.h"

namespace {
std::uint64_t allocations = 0;
}

// Not inlined, so that the compiler does not see through one of them alone.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace exa {
namespace {

constexpr std::size_t kRequests = 1 << 16;  // of one window
constexpr std::uint64_t kBetweenRequestsNs = 100'000;
constexpr std::size_t kShapes = 64;  // requests that differ in what their series depend on

// A window of a server: log-normal around 8 ms, 1 % errors, a few routes' worth of series.
class Traffic {
 public:
  explicit Traffic(Role role) : shapes_(kShapes), duration_ns_(kRequests), randomness_(kRequests) {
    std::mt19937_64 random(1);
    std::lognormal_distribution<double> latency_s(std::log(0.008), 1.2);
    for (std::size_t i = 0; i < kShapes; ++i) {
      auto& shape = shapes_[i];
      shape.target = static_cast<TargetId>(1 + i % 4);
      shape.role = role;
      shape.protocol_version = ProtocolVersion::k11;
      shape.outcome = Outcome::kComplete;
      shape.operation.method = i % 3 == 0 ? Method::kPost : Method::kGet;
      shape.operation.status = i == 7 ? 503 : 200;
      shape.read = {1'000'000'000};
      shape.remote = {.address = {10, 0, 0, 2}, .port = 8080};
      shape.host.assign("orders.shop.svc:8080");
      shape.span_id.bytes = std::bit_cast<std::array<std::uint8_t, 8>>(random());
    }
    for (auto& duration : duration_ns_)
      duration = static_cast<std::uint64_t>(std::min(latency_s(random), 60.0) * 1e9);
    for (auto& randomness : randomness_)
      randomness = random() & kRandomnessMask;
  }

  const Exchange& at(std::size_t i) {
    auto& exchange = shapes_[i * 31 % kShapes];
    exchange.last_response.ns = start_ns_ + i * kBetweenRequestsNs;
    exchange.read.ns = exchange.last_response.ns - duration_ns_[i];
    exchange.randomness = randomness_[i];
    return exchange;
  }
  // Policies that remember times would see them run backwards.
  void begin_window() { start_ns_ += kRequests * kBetweenRequestsNs; }

 private:
  std::uint64_t start_ns_ = 100'000'000'000;
  std::vector<Exchange> shapes_;
  std::vector<std::uint64_t> duration_ns_;
  std::vector<std::uint64_t> randomness_;
};

class Path {
 public:
  explicit Path(Role role, const PolicySettings& policies = {})
      : traffic_(role), sampler_({.policies = policies}, counters_) {}

  void count_window() {
    for (std::size_t i = 0; i < kRequests; ++i) {
      const auto& exchange = traffic_.at(i);
      benchmark::DoNotOptimize(
          registry_.record(registry_.keys().duration(exchange), 1,
                           static_cast<std::uint64_t>(exchange.duration().count())));
    }
  }
  void count_window_with_exemplars() {
    for (std::size_t i = 0; i < kRequests; ++i) {
      const auto& exchange = traffic_.at(i);
      const auto key = registry_.keys().duration(exchange);
      const auto value = static_cast<std::uint64_t>(exchange.duration().count());
      const auto [series, bucket] = registry_.record(key, 1, value);
      sampler_.on_request(exchange, i);
      sampler_.on_value({.series = series,
                         .bucket = bucket,
                         .is_error = key.error != ErrorType::kNone,
                         .value = value,
                         .exchange = exchange},
                        i);
    }
  }
  void count_window_in_exponential_histograms() {
    for (std::size_t i = 0; i < kRequests; ++i) {
      const auto& exchange = traffic_.at(i);
      const auto value = static_cast<std::uint64_t>(exchange.duration().count());
      const auto [series, bucket] = registry_.record(registry_.keys().duration(exchange), 1, value);
      benchmark::DoNotOptimize(bucket);
      if (series >= exponential_.size()) exponential_.resize(series + 1);
      exponential_[series].add(static_cast<double>(value) / 1e9);
    }
  }
  void close() {
    traffic_.begin_window();
    benchmark::DoNotOptimize(sampler_.close_window(registry_, recorder_));
    registry_.close_window();
  }

 private:
  Counters counters_;
  Traffic traffic_;
  SeriesRegistry registry_{{}, counters_};
  FlightRecorder recorder_{16};
  ExemplarSampler sampler_;
  std::vector<ExponentialHistogram> exponential_;  // by series
};

// Of this thread, so that neighbours on the machine do not count.
double cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

void histogram(benchmark::State& state, Role role) {
  Path path(role);
  path.count_window();
  path.close();
  const auto before = allocations;
  while (state.KeepRunningBatch(kRequests))
    path.count_window();
  state.counters["allocations"] = static_cast<double>(allocations - before);
}

void histogram_with_exemplars(benchmark::State& state, Role role) {
  Path path(role);
  path.count_window_with_exemplars();
  path.close();
  std::uint64_t allocated = 0;
  std::vector<double> differences_ns;
  while (state.KeepRunningBatch(kRequests)) {
    const auto before = allocations;
    const auto begin = cpu_ns();
    path.count_window_with_exemplars();
    const auto end = cpu_ns();
    allocated += allocations - before;
    state.PauseTiming();
    path.close();
    const auto begin_plain = cpu_ns();
    path.count_window();
    const auto end_plain = cpu_ns();
    path.close();
    differences_ns.push_back(((end - begin) - (end_plain - begin_plain)) / kRequests);
    state.ResumeTiming();
  }
  std::ranges::nth_element(differences_ns, differences_ns.begin() + static_cast<std::ptrdiff_t>(
                                                                        differences_ns.size() / 2));
  state.counters["allocations"] = static_cast<double>(allocated);
  state.counters["exemplars_ns"] = differences_ns[differences_ns.size() / 2];
}

void exponential_histogram(benchmark::State& state, Role role) {
  Path path(role);
  path.count_window_in_exponential_histograms();
  path.close();
  std::uint64_t allocated = 0;
  while (state.KeepRunningBatch(kRequests)) {
    const auto before = allocations;
    path.count_window_in_exponential_histograms();
    allocated += allocations - before;
    state.PauseTiming();
    path.close();
    state.ResumeTiming();
  }
  state.counters["allocations"] = static_cast<double>(allocated);
}

// Policies against the default one, in turns.
void policies(benchmark::State& state, const PolicySettings& settings) {
  Path path(Role::kServer, settings);
  Path other(Role::kServer);
  for (auto* const one : {&path, &other}) {
    one->count_window_with_exemplars();
    one->close();
  }
  std::uint64_t allocated = 0;
  std::vector<double> differences_ns;
  while (state.KeepRunningBatch(kRequests)) {
    const auto before = allocations;
    const auto begin = cpu_ns();
    path.count_window_with_exemplars();
    const auto end = cpu_ns();
    allocated += allocations - before;
    state.PauseTiming();
    const auto begin_other = cpu_ns();
    other.count_window_with_exemplars();
    const auto end_other = cpu_ns();
    path.close();
    other.close();
    differences_ns.push_back(((end - begin) - (end_other - begin_other)) / kRequests);
    state.ResumeTiming();
  }
  const auto middle =
      differences_ns.begin() + static_cast<std::ptrdiff_t>(differences_ns.size() / 2);
  std::ranges::nth_element(differences_ns, middle);
  state.counters["allocations"] = static_cast<double>(allocated);
  state.counters["over_default_ns"] = *middle;
}

const bool kPoliciesAreRegistered = [] {
  for (const auto& described : policy_descriptions())
    benchmark::RegisterBenchmark(
        ("policy/" + std::string(described.example)).c_str(), policies,
        PolicySettings{.policy = *parse_policy(described.example), .rules = {}});
  // As many rules as there may be, of which none is met.
  PolicySettings settings;
  for (std::size_t i = 0; i < kMostPolicyRules; ++i)
    settings.rules.push_back(
        *parse_policy_rule("service=other route=/" + std::to_string(i) + " -> always"));
  benchmark::RegisterBenchmark("policies/of_31_rules", policies, settings);
  return true;
}();

BENCHMARK_CAPTURE(histogram, server, Role::kServer);
BENCHMARK_CAPTURE(histogram_with_exemplars, server, Role::kServer);
BENCHMARK_CAPTURE(exponential_histogram, server, Role::kServer);
BENCHMARK_CAPTURE(histogram, client, Role::kClient);
BENCHMARK_CAPTURE(histogram_with_exemplars, client, Role::kClient);

}  // namespace
}  // namespace exa

BENCHMARK_MAIN();
