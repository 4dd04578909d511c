#include "agent/request_pipeline/account_points.h"

#include <string>
#include <utility>

#include "agent/metrics/metric_table.h"
#include "agent/why/time_spent.h"

namespace exa {
namespace {

constexpr double kNanosecondsOfSecond = 1e9;

std::vector<NumberPoint> time_points(const AccountSum& total, const NumberPoint& bare) {
  std::vector<NumberPoint> points;
  for (std::size_t i = 0; i < kTimeStates; ++i) {
    const auto state = static_cast<TimeState>(i);
    const bool of_thread = state != TimeState::kUnknown;
    if (of_thread ? total.of_thread == 0 : total.spent[state] == 0) continue;
    auto point = bare;
    point.attributes.push_back({"state", std::string(name_of(state))});
    point.value = static_cast<double>(total.spent[state]) / kNanosecondsOfSecond;
    points.push_back(std::move(point));
  }
  return points;
}

std::vector<NumberPoint> retransmit_points(const AccountSum& total, const NumberPoint& bare) {
  if (total.of_socket == 0) return {};
  auto point = bare;
  point.value = static_cast<std::int64_t>(total.retransmits);
  return {std::move(point)};
}

}  // namespace

const char* unit_of(AccountMetric metric) {
  return metric == AccountMetric::kServerTime ? "s" : "{segment}";
}

std::vector<AccountPoints> account_points(const SeriesKey& key, const AccountSum& total,
                                          const NumberPoint& bare) {
  std::vector<AccountPoints> metrics;
  const auto add = [&](AccountMetric metric, std::vector<NumberPoint> points) {
    const auto& description = describe(key, metric);
    if (description.name == nullptr || points.empty()) return;
    metrics.push_back(
        {.description = &description, .unit = unit_of(metric), .points = std::move(points)});
  };
  const bool server = row_of(key.kind).end == Role::kServer;
  if (server) add(AccountMetric::kServerTime, time_points(total, bare));
  add(server ? AccountMetric::kServerRetransmits : AccountMetric::kClientRetransmits,
      retransmit_points(total, bare));
  return metrics;
}

}  // namespace exa
