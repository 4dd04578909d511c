// Requests as policies meet them, and traffic of them.
#pragma once

#include <chrono>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "agent/exemplars/policies/make_policy.h"
#include "agent/exemplars/policy_rules.h"
#include "agent/trace/ids/randomness.h"

namespace exa {

using namespace std::chrono_literals;

constexpr MonotonicTime kStart{100'000'000'000};

struct Request {
  MonotonicTime end;
  Duration took = 1ms;
  std::uint64_t randomness = 0;
  SeriesIndex series = 0;
  std::uint8_t bucket = 0;
  bool is_error = false;
  TargetId target = 1;
  bool sampled = false;
  std::string path = "/";

  [[nodiscard]] Exchange exchange() const {
    Exchange made;
    made.role = Role::kServer;
    made.target = target;
    made.read = {end.ns - static_cast<std::uint64_t>(took.count())};
    made.last_response = end;
    made.randomness = randomness;
    made.has_context = sampled;
    made.trace_flags = sampled ? kTraceSampled : 0;
    made.operation.name.assign(path);
    return made;
  }
};

inline Offer offer_of(const Request& request, const Exchange& exchange) {
  return {.series = request.series,
          .bucket = request.bucket,
          .is_error = request.is_error,
          .value = static_cast<std::uint64_t>(request.took.count()),
          .exchange = exchange};
}

inline bool offered(Policy& policy, const Request& request, bool counts_requests = true) {
  const auto exchange = request.exchange();
  auto offer = offer_of(request, exchange);
  offer.counts_requests = counts_requests;
  policy.see(offer);
  return policy.admits(offer);
}

inline bool offered(PolicyRules& rules, const Request& request) {
  const auto exchange = request.exchange();
  return rules.admits(offer_of(request, exchange));
}

// One that shares nothing with others.
inline std::unique_ptr<Policy> made_alone(const PolicySpec& spec) {
  std::shared_ptr<ErrorRatios> errors;
  return make_policy(spec, errors);
}

template <typename Spec>
std::unique_ptr<Policy> made(Spec spec) {
  return made_alone({std::move(spec)});
}

class Traffic {
 public:
  explicit Traffic(std::uint64_t seed) : random_(seed) {}
  std::uint64_t randomness() { return random_() & kRandomnessMask; }
  double uniform() { return std::uniform_real_distribution(0.0, 1.0)(random_); }
  // Evenly so many per second, from then on.
  std::vector<Request> at_rate(double per_second, Duration lasting, MonotonicTime from) {
    std::vector<Request> all;
    const auto count = static_cast<int>(per_second * seconds(lasting));
    for (int i = 0; i < count; ++i)
      all.push_back({.end = from + Duration(static_cast<std::int64_t>(1e9 * i / per_second)),
                     .randomness = randomness()});
    return all;
  }
  // Anything.
  Request any() {
    now_ = now_ + Duration(static_cast<std::int64_t>(uniform() * 2e6));
    return {.end = now_,
            .took = Duration(static_cast<std::int64_t>(std::exp(uniform() * 14) * 1e3)),
            .randomness = randomness(),
            .series = static_cast<SeriesIndex>(random_() % 3),
            .bucket = static_cast<std::uint8_t>(random_() % 15),
            .is_error = random_() % 5 == 0,
            .target = static_cast<TargetId>(1 + random_() % 2),
            .sampled = random_() % 2 == 0,
            .path = random_() % 2 == 0 ? "/admin/x" : "/shop"};
  }

 private:
  std::mt19937_64 random_;
  MonotonicTime now_{10'000'000'000};
};

}  // namespace exa
