#include "agent/why/sentence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "agent/why/thread_doing.h"
#include "agent/why/time_spent.h"
#include "exa/base/readable_duration.h"

namespace exa {
namespace {

// A smaller part of the time, and fewer page faults, explain nothing.
constexpr int kLeastShare = 20;  // one in so many
constexpr std::uint32_t kManyFaults = 1'000;
constexpr std::chrono::milliseconds kLeastBefore{1};

std::string counted(std::uint32_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + ' ' + std::string(count == 1 ? one : many);
}

void add(std::string& sentence, std::string_view separator, std::string_view more) {
  if (!sentence.empty()) sentence += separator;
  sentence += more;
}

struct Part {
  std::uint64_t ns = 0;
  std::string_view phrase;
};

// The causes of sleep stand for that part of it.
std::vector<Part> parts_of(const Account& account, Duration wall) {
  auto spent = time_spent(account, wall);
  std::vector<Part> causes;
  for (std::size_t i = 0; i < kSleepCauses; ++i) {
    auto& asleep = spent[TimeState::kAsleep];
    const auto ns = std::min<std::uint64_t>(account.asleep_us[i] * std::uint64_t{1000}, asleep);
    asleep -= ns;
    causes.push_back({ns, phrase_of(static_cast<SleepCause>(i))});
  }
  std::vector<Part> parts;
  for (std::size_t i = 0; i < kTimeStates; ++i)
    parts.push_back({spent.ns[i], phrase_of(static_cast<TimeState>(i))});
  parts.insert(parts.end(), causes.begin(), causes.end());
  std::ranges::stable_sort(parts, std::ranges::greater{}, &Part::ns);
  return parts;
}

std::string where_the_time_went(const Account& account, Duration wall) {
  const auto whole = static_cast<std::uint64_t>(wall.count());
  std::string text;
  for (const auto& part : parts_of(account, wall)) {
    if (part.ns * kLeastShare < whole) break;
    const auto percent =
        std::lround(100 * static_cast<double>(part.ns) / static_cast<double>(whole));
    add(text, ", ", std::to_string(percent) + " % ");
    text += part.phrase;
    if (part.phrase == phrase_of(TimeState::kThrottled) && account.throttled_times > 0)
      text += " (" + counted(account.throttled_times, "time", "times") + ')';
  }
  return text;
}

std::string readable(Duration time) {
  return readable_duration(seconds(time));
}

// Only what is much, beside the exchange itself.
std::string before_it(const Account& account, Duration wall, Duration queued) {
  const auto& before = account.before;
  std::string text;
  const auto is_much = [&](Duration time) {
    return time >= kLeastBefore && time * kLeastShare >= wall;
  };
  const std::chrono::microseconds connect(before.connect_us);
  if (is_much(connect)) text = "before it, connecting took " + readable(connect);
  // Where nobody wants an account there is none.
  const bool wanted =
      account.thread_known || account.other_thread || account.moves || account.socket_known;
  if (!wanted || !is_much(queued)) return text;
  add(text, "; ", "it waited " + readable(queued) + " to be read");
  const std::chrono::microseconds other_work(before.queued_other_work_us);
  const std::chrono::microseconds cpu_wait(before.queued_cpu_wait_us);
  std::string why;
  if (is_much(other_work)) why = "was busy with other work for " + readable(other_work);
  if (is_much(cpu_wait)) add(why, " and ", "waited " + readable(cpu_wait) + " for a CPU");
  if (!why.empty()) text += ": the thread " + why;
  return text;
}

}  // namespace

std::string why_sentence(const Account& account, Duration wall, Duration queued) {
  std::string text;
  if (account.thread_known && wall > Duration::zero()) text = where_the_time_went(account, wall);
  if (account.other_thread) text = "it began on one thread and ended on another";
  if (account.moves) text = "its process moves work between threads";
  const auto count = [&text](std::uint32_t least, std::uint32_t value, std::string_view one,
                             std::string_view many) {
    if (value >= least) add(text, "; ", counted(value, one, many));
  };
  count(1, account.major_faults, "page read from disk", "pages read from disk");
  count(kManyFaults, account.minor_faults, "page fault", "page faults");
  count(1, account.retransmits, "segment retransmitted", "segments retransmitted");
  count(1, account.receiver_limited_ms, "ms waiting for the peer to make room",
        "ms waiting for the peer to make room");
  if (const auto before = before_it(account, wall, queued); !before.empty())
    add(text, "; ", before);
  count(1, account.shared_with, "other exchange served by the thread meanwhile",
        "other exchanges served by the thread meanwhile");
  return text;
}

}  // namespace exa
