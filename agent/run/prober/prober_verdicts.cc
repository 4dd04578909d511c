// What the prober tells the kernel of processes: who is excluded.
#include <unistd.h>

#include <utility>

#include "agent/run/prober/prober.h"

namespace exa {

// Excluded for good, whatever the rules say.
bool Prober::is_ours(std::uint32_t tgid) const {
  return std::cmp_equal(tgid, getpid()) || std::cmp_equal(tgid, pipeline_.pid);
}

Result<> Prober::exclude_ourselves() {
  for (const auto pid : {getpid(), pipeline_.pid})
    if (auto excluded = programs_.exclude_for_good(static_cast<std::uint32_t>(pid)); !excluded)
      return excluded;
  return {};
}

// Before /proc is read: what is entered later is then about what was read, or nothing is entered.
std::optional<kernel::OpenVerdict> Prober::open_verdict(std::uint32_t tgid) {
  auto opened = programs_.open_verdict(tgid);
  if (opened) return std::move(*opened);
  occasional_.warn("verdict", opened.error().text, monotonic_now());
  return std::nullopt;
}

// The kernel then tells nothing more about an excluded process. False: there is nobody any more
// whom it is about.
bool Prober::enter(const std::optional<kernel::OpenVerdict>& verdict, const Target& target) {
  if (!verdict || is_ours(target.process.tgid)) return true;
  const auto entered = verdict->enter(target.observed    ? kernel::Verdict::kObserved
                                      : target.undecided ? kernel::Verdict::kUnjudged
                                                         : kernel::Verdict::kExcluded);
  if (!entered) occasional_.warn("verdict", entered.error().text, monotonic_now());
  programs_.put_verdicts_in_force();
  if (tls_) tls_->on_verdict(target.process.tgid);
  return entered.value_or(true);
}

// Where the rules may exclude a process, the pipeline holds back whom nobody has judged.
Result<> Prober::send_rule_of_the_unjudged() {
  Target all;
  all.observed = !may_exclude(config_.targets);
  all.resource = std::make_shared<Resource>();
  return send_target({.target = std::move(all), .cgroup = {}});
}

}  // namespace exa
