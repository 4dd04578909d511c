// What a thread was seen to do, and what people call what it slept on.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "exa/model/account.h"

namespace exa {

// As exa/abi/sleep.h numbers them.
enum class ThreadDoing : std::uint8_t {
  kRun,
  kLock,
  kDisk,
  kTimer,
  kPipe,
  kNetwork,
  kEvents,
  kChild,
  kStopped,
  kOther,
  kEpoll,
  kPollOne,
};
inline constexpr std::size_t kThreadDoings = 12;

// None: it does not sleep, or nobody knows on what.
constexpr std::optional<SleepCause> cause_of(ThreadDoing doing) {
  if (doing == ThreadDoing::kRun || doing == ThreadDoing::kOther) return std::nullopt;
  if (doing == ThreadDoing::kEpoll || doing == ThreadDoing::kPollOne) return SleepCause::kEvents;
  return static_cast<SleepCause>(static_cast<std::uint8_t>(doing) - 1);
}
static_assert(cause_of(ThreadDoing::kLock) == SleepCause::kLock &&
              cause_of(ThreadDoing::kStopped) == SleepCause::kStopped);

// As the attribute exemplar.why.<name> has it: "lock".
std::string_view name_of(SleepCause cause);
// As a sentence does: "waiting for a lock".
std::string_view phrase_of(SleepCause cause);

}  // namespace exa
