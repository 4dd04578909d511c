#include "agent/config/policy_memory.h"

#include "exa/base/overloaded.h"

namespace exa {
namespace {

// Of a ring that grows: a vector's own bytes, its place and its counts.
constexpr std::size_t kRing = 48;
constexpr std::size_t kCounts = 24;

std::size_t memory_of(const PolicySpec& policy);

std::size_t memory_of(const std::vector<PolicySpec>& policies) {
  std::size_t bytes = 0;
  for (const auto& policy : policies)
    bytes += memory_of(policy);
  return bytes;
}

std::size_t memory_of(const PolicySpec& policy) {
  return std::visit(
      Overloaded{
          [](const policy::FirstOfBucket&) { return kCounts; },
          [](const policy::TrafficTiered&) { return kCounts; },
          [](const policy::Percentile& p) { return kRing + p.last * sizeof(std::uint64_t); },
          [](const policy::TimeWindow& p) { return kRing + p.most * sizeof(std::uint64_t); },
          [](const policy::AnyOf& p) { return memory_of(p.policies); },
          [](const policy::AllOf& p) { return memory_of(p.policies); },
          [](const auto&) { return std::size_t{0}; },
      },
      policy.what);
}

}  // namespace

std::size_t policy_memory(const PolicySettings& policies) {
  auto bytes = memory_of(policies.policy);
  for (const auto& rule : policies.rules)
    bytes += memory_of(rule.policy);
  return bytes;
}

}  // namespace exa
