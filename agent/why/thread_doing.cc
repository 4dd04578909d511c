#include "agent/why/thread_doing.h"

#include <array>

namespace exa {
namespace {

struct Words {
  std::string_view name;
  std::string_view phrase;
};
constexpr std::array<Words, kSleepCauses> kWords = {{
    {"lock", "waiting for a lock or another thread"},
    {"disk", "waiting for a disk or a file"},
    {"timer", "waiting for a timer"},
    {"pipe", "waiting on a pipe"},
    {"network", "waiting on the network"},
    {"events", "waiting for events"},
    {"child", "waiting for a child process"},
    {"stopped", "stopped or frozen"},
}};

}  // namespace

std::string_view name_of(SleepCause cause) {
  return kWords[static_cast<std::size_t>(cause)].name;
}

std::string_view phrase_of(SleepCause cause) {
  return kWords[static_cast<std::size_t>(cause)].phrase;
}

}  // namespace exa
