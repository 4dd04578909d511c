// How the prober looks at processes, and what it tells the pipeline of them.
#include <ctime>

#include "agent/capture/event_decoder.h"
#include "agent/capture/target_message.h"
#include "agent/run/prober/prober.h"

namespace exa {
namespace {

// On which starts of processes are.
std::uint64_t boot_time_now() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

Result<> Prober::tell_processes() {
  for (std::size_t i = 0; i < kProcessesPerTurn && !unseen_.empty() && line_.waiting().has_room();
       ++i) {
    const auto tgid = unseen_.front();
    unseen_.pop_front();
    const auto verdict = open_verdict(tgid);
    const auto as_of = monotonic_now();
    auto found = finder_.look_at(tgid);
    if (!found) continue;
    found->target.as_of = as_of;
    // Rules may have changed: an observed one may have been excluded before. One that runs another
    // program by now is looked at when the kernel announces that.
    if ((!found->target.observed || attached_) && !enter(verdict, found->target)) continue;
    if (auto sent = send_target(*found); !sent) return sent;
    if (found->target.observed)
      second_looks_.note(tgid, found->target.process.start_time_ns, boot_time_now());
    if (!attached_) observed_ += found->target.observed ? 1 : 0;
  }
  if (unseen_.empty() && tell_of_unmatched_) {
    tell_of_unmatched_ = false;
    for (const auto& rule : finder_.unmatched())
      log_.warn(rule + ": no process matches yet; new processes are checked as they start");
  }
  return unseen_.empty() && !attached_ ? observe() : Result<>();
}

std::optional<ProcessWords> Prober::words_of(int process_fd, std::uint32_t owner,
                                             const std::string& executable) {
  auto words = reader_.words(process_fd, owner, executable);
  if (words) return std::move(*words);
  if (words.error() == Unread::kHeldUp)
    occasional_.warn(
        "held up",
        "a process of user " + std::to_string(owner) +
            " stalls the reader of its environment; it is named without its environment",
        monotonic_now());
  return std::nullopt;
}

// Of one that is too young nothing is published yet: it is looked at again, if it lives.
OtelEnvironment Prober::published_by(const ProcessFacts& facts, int process_fd,
                                     std::uint32_t owner) {
  constexpr std::uint64_t kTooYoungNs = 200'000'000;
  if (!mappings_ || boot_time_now() < facts.process.start_time_ns + kTooYoungNs) return {};
  const auto where = mappings_->published_by(facts.process.tgid);
  if (!where) return published_before_.of(facts);
  auto said = reader_.published(process_fd, owner, *where);
  if (said) {
    published_before_.note(facts, *said);
    return std::move(*said);
  }
  if (said.error() == Unread::kHeldUp)
    occasional_.warn(
        "held up",
        "a process of user " + std::to_string(owner) +
            " stalls the reader of what it publishes; it is named without what it publishes",
        monotonic_now());
  return published_before_.of(facts);
}

// With the file in which an engine named the target's container: read without privilege.
Result<> Prober::send_target(const FoundTarget& found) {
  const bool observed_in_container = engines_ && found.target.observed;
  auto file = observed_in_container ? engines_->file_of(found.cgroup) : std::nullopt;
  message_.type = ChannelMessageType::kTarget;
  message_.value = file ? static_cast<std::uint64_t>(file->document) : 0;
  message_.payload = encode_target(found.target);
  return line_.say(message_, file ? std::move(file->fd) : UniqueFd());
}

void Prober::read_control_ring() {
  if (life_.is_ending()) return;
  control_ring_.consume(kAnnouncementsPerTurn, [this](std::span<const std::byte> record) {
    if (tls_) tls_->on_control_record(record);
    const auto event = decode_event(record);
    if (!event) return;
    const auto* const process = std::get_if<ProcessEvent>(&*event);
    if (process == nullptr) return;
    const auto verdict = open_verdict(process->process.tgid);
    auto [found, looked_at] = finder_.resolve({.process = process->process,
                                               .comm = std::string(process->comm.view()),
                                               .exe_name = std::string(process->exe_name.view()),
                                               .cgroup_id = process->cgroup_id,
                                               .parent_tgid = process->parent_tgid,
                                               .forked = process->forked});
    // What is known by its announcement only says nothing about whoever has the number now.
    if (looked_at && !found.target.observed) enter(verdict, found.target);
    if (const auto now = boot_time_now(); looked_at && found.target.observed)
      second_looks_.note(process->process.tgid, now, now);
    found.target.as_of = process->time;
    if (const auto sent = send_target(found); !sent)
      occasional_.warn("target", sent.error().text, monotonic_now());
  });
}

// SDKs say who they are a while after their process has started.
void Prober::look_again() {
  for (const auto tgid : second_looks_.due(boot_time_now()))
    if (unseen_.size() < kMaxScannedProcesses) unseen_.push_back(tgid);
}

}  // namespace exa
