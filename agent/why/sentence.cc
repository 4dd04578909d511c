#include "agent/why/sentence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace exa {
namespace {

// Smaller parts of the time, and fewer page faults, explain nothing.
constexpr int kLeastShare = 20;  // one in so many
constexpr std::uint32_t kManyFaults = 1'000;

struct Part {
  Duration time{};
  std::string_view text;
  std::uint32_t times = 0;
};

std::string counted(std::uint32_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + ' ' + std::string(count == 1 ? one : many);
}

void add(std::string& sentence, std::string_view separator, std::string_view more) {
  if (!sentence.empty()) sentence += separator;
  sentence += more;
}

std::string where_the_time_went(const Account& account, Duration wall) {
  const auto asleep = account.asleep(wall);
  std::array parts{
      Part{account.throttled, "kept from the CPU by its cgroup's quota", account.throttled_times},
      Part{account.cpu_wait - account.throttled, "waiting for a CPU"},
      Part{account.on_cpu, "on a CPU"},
      Part{account.downstream, "waiting for requests that it made"},
      Part{asleep - account.downstream, "asleep"},
  };
  std::ranges::stable_sort(parts, std::ranges::greater{}, &Part::time);
  std::string text;
  for (const auto& part : parts) {
    if (part.time < wall / kLeastShare) break;
    const auto percent = std::lround(100 * seconds(part.time) / seconds(wall));
    add(text, ", ", std::to_string(percent) + " % ");
    text += part.text;
    if (part.times > 0) text += " (" + counted(part.times, "time", "times") + ')';
  }
  return text;
}

}  // namespace

std::string why_sentence(const Account& account, Duration wall) {
  std::string text;
  if (account.thread_known && wall > Duration::zero()) text = where_the_time_went(account, wall);
  if (account.other_thread) text = "one thread began it, another one ended it";
  if (account.moves) text = "its process moves work between threads";
  const auto count = [&text](std::uint32_t least, std::uint32_t value, std::string_view one,
                             std::string_view many) {
    if (value >= least) add(text, "; ", counted(value, one, many));
  };
  count(1, account.major_faults, "page read from disk", "pages read from disk");
  count(kManyFaults, account.minor_faults, "page fault", "page faults");
  count(1, account.retransmits, "segment sent again", "segments sent again");
  count(1, account.receiver_limited_ms, "ms waiting for the peer to make room",
        "ms waiting for the peer to make room");
  count(1, account.shared_with, "other exchange served by the thread meanwhile",
        "other exchanges served by the thread meanwhile");
  return text;
}

}  // namespace exa
