#include "agent/why/growth.h"

#include <algorithm>
#include <cmath>

#include "exa/base/readable_duration.h"
#include "exa/base/time.h"

namespace exa {
namespace {

constexpr std::uint64_t kSlowestShare = 100;  // one in so many
constexpr double kLongerBy = 1.5;
constexpr double kLongerByS = 0.001;
// A smaller part of the difference explains nothing.
constexpr double kLeastPart = 0.1;

}  // namespace

MeanTime mean_of(const AccountSum& sum) {
  MeanTime mean;
  if (sum.exchanges == 0) return mean;
  for (std::size_t i = 0; i < kTimeStates; ++i)
    mean.s[i] = seconds_of(sum.spent.ns[i]) / static_cast<double>(sum.exchanges);
  return mean;
}

SlowestAndOthers slowest_percent(std::span<const AccountSum> by_bucket) {
  std::uint64_t all = 0;
  for (const auto& bucket : by_bucket)
    all += bucket.exchanges;
  SlowestAndOthers requests;
  for (auto bucket = by_bucket.rbegin(); bucket != by_bucket.rend(); ++bucket) {
    const auto taken = requests.slowest.exchanges;
    // Most of them are not the slowest.
    const bool enough =
        taken > 0 && (taken * kSlowestShare >= all || (taken + bucket->exchanges) * 2 > all);
    (enough ? requests.others : requests.slowest).merge(*bucket);
  }
  return requests;
}

bool is_longer(const MeanTime& slow, const MeanTime& than) {
  return slow.total() - than.total() >= kLongerByS && slow.total() >= than.total() * kLongerBy;
}

std::string growth_phrase(const MeanTime& slow, const MeanTime& than) {
  const auto difference = slow.total() - than.total();
  if (difference <= 0) return {};
  struct Part {
    double share;
    TimeState state;
  };
  std::array<Part, kTimeStates> parts;
  for (std::size_t i = 0; i < kTimeStates; ++i)
    parts[i] = {(slow.s[i] - than.s[i]) / difference, static_cast<TimeState>(i)};
  std::ranges::stable_sort(parts, std::ranges::greater{}, &Part::share);
  std::string text;
  bool known = false;
  for (const auto& part : parts) {
    if (part.share < kLeastPart) break;
    known = known || part.state != TimeState::kUnknown;
    // What grew by more than all together: something else has shrunk.
    const auto percent = std::lround(100 * std::min(part.share, 1.0));
    const auto* const beginning = part.state == TimeState::kUnknown
                                      ? "of the difference is "
                                      : "of the difference was spent ";
    const bool first = text.empty();
    text += (first ? "" : ", ") + std::to_string(percent) + " % " + (first ? beginning : "");
    text += phrase_of(part.state);
  }
  return known ? text : std::string();
}

std::string growth_sentence(const SlowestAndOthers& requests) {
  const auto& [slowest, others] = requests;
  if (slowest.exchanges == 0 || others.exchanges == 0) return {};
  const auto slow = mean_of(slowest);
  const auto than = mean_of(others);
  if (!is_longer(slow, than)) return {};
  const auto phrase = growth_phrase(slow, than);
  return std::to_string(slowest.exchanges) + " of " +
         std::to_string(slowest.exchanges + others.exchanges) + " took " +
         readable_duration(slow.total()) +
         (slowest.exchanges == 1 ? ", the others " : " on average, the others ") +
         readable_duration(than.total()) + (phrase.empty() ? "" : ": ") + phrase;
}

}  // namespace exa
