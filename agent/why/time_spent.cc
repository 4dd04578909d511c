#include "agent/why/time_spent.h"

namespace exa {
namespace {

struct Words {
  std::string_view name;
  std::string_view phrase;
};
constexpr std::array<Words, kTimeStates> kWords = {{
    {"throttled", "kept from the CPU by its cgroup's quota"},
    {"cpu_wait", "waiting for a CPU"},
    {"on_cpu", "on a CPU"},
    {"downstream", "waiting for requests that it made"},
    {"asleep", "asleep"},
    {"unknown", "not known"},
}};

}  // namespace

std::string_view name_of(TimeState state) {
  return kWords[static_cast<std::size_t>(state)].name;
}

std::string_view phrase_of(TimeState state) {
  return kWords[static_cast<std::size_t>(state)].phrase;
}

}  // namespace exa
