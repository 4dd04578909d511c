#include "agent/why/thread_doing.h"

#include "exa/base/enum_table.h"

namespace exa {
namespace {

struct Words {
  std::string_view name;
  std::string_view phrase;
};
constexpr EnumTable<SleepCause, Words> kWords = {
    {SleepCause::kLock, {"lock", "waiting for a lock or another thread"}},
    {SleepCause::kDisk, {"disk", "waiting for a disk or a file"}},
    {SleepCause::kTimer, {"timer", "waiting for a timer"}},
    {SleepCause::kPipe, {"pipe", "waiting on a pipe"}},
    {SleepCause::kNetwork, {"network", "waiting on the network"}},
    {SleepCause::kEvents, {"events", "waiting for events"}},
    {SleepCause::kChild, {"child", "waiting for a child process"}},
    {SleepCause::kStopped, {"stopped", "stopped or frozen"}},
};
static_assert(kWords.is_whole());

}  // namespace

std::string_view name_of(SleepCause cause) {
  return kWords[cause].name;
}

std::string_view phrase_of(SleepCause cause) {
  return kWords[cause].phrase;
}

}  // namespace exa
