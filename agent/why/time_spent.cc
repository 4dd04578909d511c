#include "agent/why/time_spent.h"

#include "exa/base/enum_table.h"

namespace exa {
namespace {

struct Words {
  std::string_view name;
  std::string_view phrase;
};
constexpr EnumTable<TimeState, Words> kWords = {
    {TimeState::kThrottled, {"throttled", "kept from the CPU by its cgroup's quota"}},
    {TimeState::kCpuWait, {"cpu_wait", "waiting for a CPU"}},
    {TimeState::kOnCpu, {"on_cpu", "on a CPU"}},
    {TimeState::kDownstream, {"downstream", "waiting for requests that it made"}},
    {TimeState::kAsleep, {"asleep", "asleep"}},
    {TimeState::kUnknown, {"unknown", "not known"}},
};
static_assert(kWords.is_whole());

}  // namespace

std::string_view name_of(TimeState state) {
  return kWords[state].name;
}

std::string_view phrase_of(TimeState state) {
  return kWords[state].phrase;
}

}  // namespace exa
