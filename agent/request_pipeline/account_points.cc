#include "agent/request_pipeline/account_points.h"

#include <string>
#include <utility>

#include "agent/metrics/metric_table.h"
#include "agent/why/time_spent.h"
#include "exa/base/enum_table.h"
#include "exa/base/time.h"

namespace exa {
namespace {

std::vector<NumberPoint> time_points(const AccountSum& total, const NumberPoint& bare) {
  std::vector<NumberPoint> points;
  for (std::size_t i = 0; i < kTimeStates; ++i) {
    const auto state = static_cast<TimeState>(i);
    const bool of_thread = state != TimeState::kUnknown;
    if (of_thread ? total.of_thread == 0 : total.spent[state] == 0) continue;
    auto point = bare;
    point.attributes.push_back({"state", std::string(name_of(state))});
    point.value = seconds_of(total.spent[state]);
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

struct Row {
  Role end = Role::kUnknown;  // whose durations it is told beside
  const char* unit = nullptr;
  std::vector<NumberPoint> (*points)(const AccountSum& total, const NumberPoint& bare) = nullptr;
};
constexpr EnumTable<AccountMetric, Row> kRows = {
    {AccountMetric::kServerTime, {Role::kServer, "s", time_points}},
    {AccountMetric::kServerRetransmits, {Role::kServer, "{segment}", retransmit_points}},
    {AccountMetric::kClientRetransmits, {Role::kClient, "{segment}", retransmit_points}},
};
static_assert(kRows.is_whole());

}  // namespace

std::vector<AccountPoints> account_points(const SeriesKey& key, const AccountSum& total,
                                          const NumberPoint& bare) {
  std::vector<AccountPoints> metrics;
  for (std::size_t i = 0; i < kRows.kSize; ++i) {
    const auto metric = static_cast<AccountMetric>(i);
    const auto& row = kRows[metric];
    const auto& description = describe(key, metric);
    if (row.end != row_of(key.kind).end || description.name == nullptr) continue;
    auto points = row.points(total, bare);
    if (points.empty()) continue;
    metrics.push_back({.description = &description, .unit = row.unit, .points = std::move(points)});
  }
  return metrics;
}

}  // namespace exa
