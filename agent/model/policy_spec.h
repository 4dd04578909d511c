// Which requests may become exemplars, as it is configured: a policy, and rules that give some
// requests another one. Values; agent/exemplars/policies says what each policy means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "exa/base/time.h"

namespace exa {

struct PolicySpec;

namespace policy {

struct Always {
  bool operator==(const Always&) const = default;
};
struct Never {
  bool operator==(const Never&) const = default;
};
struct TraceBased {
  bool operator==(const TraceBased&) const = default;
};
struct FirstOfBucket {
  bool operator==(const FirstOfBucket&) const = default;
};
struct Probability {
  double share = 1;
  bool operator==(const Probability&) const = default;
};
struct Outlier {
  Duration above{};
  bool operator==(const Outlier&) const = default;
};
struct Percentile {
  double quantile = 0.95;
  std::uint32_t last = 100;  // values of a series
  bool operator==(const Percentile&) const = default;
};
struct TimeWindow {
  std::uint32_t most = 10;
  Duration per = std::chrono::seconds(1);
  bool operator==(const TimeWindow&) const = default;
};
// Below so many requests per second of a series, that share of them.
struct TrafficTier {
  double below = 0;
  double share = 1;
  bool operator==(const TrafficTier&) const = default;
};
struct TrafficTiered {
  std::vector<TrafficTier> tiers = {{10, 1}, {100, 0.1}, {1000, 0.01}};  // ascending
  double above = 0.001;                                                  // the last tier
  bool operator==(const TrafficTiered&) const = default;
};
struct Adaptive {
  double per_second = 10;
  double least = 0.001;
  double most = 1;
  bool operator==(const Adaptive&) const = default;
};
// From that duration on, that share.
struct LatencyTier {
  Duration from{};
  double share = 1;
  bool operator==(const LatencyTier&) const = default;
};
struct LatencyTiered {
  std::vector<LatencyTier> tiers = {{Duration::zero(), 0.001},
                                    {std::chrono::milliseconds(100), 0.01},
                                    {std::chrono::milliseconds(500), 0.1},
                                    {std::chrono::seconds(1), 1}};  // ascending
  bool operator==(const LatencyTiered&) const = default;
};
struct ErrorBoost {
  double base = 0.01;
  double error = 1;
  double slow = 1;
  Duration slow_from = std::chrono::seconds(1);
  bool operator==(const ErrorBoost&) const = default;
};
struct PathPrefix {
  std::string prefix;
  bool operator==(const PathPrefix&) const = default;
};
struct AnyOf {
  std::vector<PolicySpec> policies;
  bool operator==(const AnyOf&) const;
};
struct AllOf {
  std::vector<PolicySpec> policies;
  bool operator==(const AllOf&) const;
};

}  // namespace policy

struct PolicySpec {
  std::variant<policy::Always, policy::Never, policy::TraceBased, policy::FirstOfBucket,
               policy::Probability, policy::Outlier, policy::Percentile, policy::TimeWindow,
               policy::TrafficTiered, policy::Adaptive, policy::LatencyTiered, policy::ErrorBoost,
               policy::PathPrefix, policy::AnyOf, policy::AllOf>
      what;
  bool operator==(const PolicySpec&) const = default;
};

inline bool policy::AnyOf::operator==(const AnyOf&) const = default;
inline bool policy::AllOf::operator==(const AllOf&) const = default;

// For requests that meet every condition that is set. The first matching rule decides.
struct PolicyRule {
  std::string service{};   // service.name; empty: any
  std::string route{};     // prefix of the path; empty: any
  std::string method{};    // as metrics have it, or as it was sent; empty: any
  std::uint16_t port = 0;  // of the server; 0: any
  PolicySpec policy{};
  std::string text{};  // as it is written, for people
  bool operator==(const PolicyRule&) const = default;
};

struct PolicySettings {
  PolicySpec policy{};              // of all requests that no rule is about
  std::vector<PolicyRule> rules{};  // at most kMostPolicyRules
  bool operator==(const PolicySettings&) const = default;
};

inline constexpr std::size_t kMostPolicyRules = 31;

}  // namespace exa
