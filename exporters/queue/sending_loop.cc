#include "exporters/queue/sending_loop.h"

#include <algorithm>
#include <string>
#include <utility>

#include "exa/base/signals_blocked.h"

namespace exa {
namespace {

std::uint64_t seed_from_clock() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

}  // namespace

SendingLoop::SendingLoop(Backlog& backlog, std::unique_ptr<Sender> sender,
                         const BacklogWords& words, const QueueSettings& settings,
                         ExportCounters& counters, LogSink log)
    : backlog_(backlog),
      sender_(std::move(sender)),
      words_(words),
      counters_(counters),
      log_(std::move(log)),
      backoff_(settings.shortest_backoff, settings.longest_backoff, seed_from_clock()) {
  const SignalsBlocked blocked;
  thread_ = std::thread([this] { run(); });
}

SendingLoop::~SendingLoop() {
  finish(Clock::now());
}

void SendingLoop::run() {
  auto lock = this->lock();
  for (;;) {
    const Turn turn = next_turn(lock);
    if (turn == Turn::kEnd) break;
    if (turn == Turn::kLookAgain) continue;
    in_flight_ = true;
    lock.unlock();
    const SendOutcome outcome = backlog_.attempt(*sender_);
    lock.lock();
    in_flight_ = false;
    judge(outcome);
  }
  backlog_.drop_rest();
}

SendingLoop::Turn SendingLoop::next_turn(std::unique_lock<std::mutex>& lock) {
  const auto now = Clock::now();
  backlog_.drop_expired(now);
  if (closing_ && (backlog_.empty() || now >= closing_deadline_)) return Turn::kEnd;
  if (backlog_.empty()) {
    work_.wait(lock, [&] { return closing_ || !backlog_.empty(); });
    return Turn::kLookAgain;
  }
  if (closing_ && !std::exchange(last_attempt_made_, true)) next_attempt_ = now;
  if (!failing_ || now >= next_attempt_) return Turn::kSend;
  auto until = std::min(next_attempt_, backlog_.next_expiry());
  if (closing_) until = std::min(until, closing_deadline_);
  work_.wait_until(lock, until, [&, was_closing = closing_] { return closing_ != was_closing; });
  return Turn::kLookAgain;
}

void SendingLoop::judge(const SendOutcome& outcome) {
  const bool paused = outcome.status == SendStatus::kRetry;
  if (paused)
    pause(outcome);
  else if (outcome.status == SendStatus::kTooLarge && backlog_.divide())
    counters_.add(ExportCounter::kAttemptsRetried);
  else
    conclude(outcome);
  backlog_.attempt_ended(paused);
}

void SendingLoop::pause(const SendOutcome& outcome) {
  counters_.add(ExportCounter::kAttemptsRetried);
  next_attempt_ =
      Clock::now() + std::max<std::chrono::milliseconds>(
                         backoff_.next(), outcome.retry_after.value_or(std::chrono::seconds(0)));
  failing_ = true;
  log_.say(outcome.trouble == SendTrouble::kUnreachable ? LogCause::kUnreachable
                                                        : LogCause::kRetryStatus,
           LogLevel::kWarning, outcome.text + std::string(words_.waits));
}

void SendingLoop::conclude(const SendOutcome& outcome) {
  const bool delivered = outcome.status == SendStatus::kDelivered;
  if (failing_ && delivered) log_.say(LogCause::kRecovered, LogLevel::kInfo, words_.again);
  failing_ = false;
  backoff_.reset();
  if (delivered) {
    if (!outcome.text.empty()) log_.say(LogCause::kRejected, LogLevel::kWarning, outcome.text);
    return backlog_.settle(Verdict::kDelivered, outcome.rejected);
  }
  counters_.add(ExportCounter::kAttemptsFailed);
  const bool unproven =
      outcome.status == SendStatus::kRefused && outcome.trouble == SendTrouble::kBadReply;
  if (outcome.status == SendStatus::kTooLarge && !words_.too_large.empty())
    log_.say(LogCause::kTooLarge, LogLevel::kWarning, words_.too_large);
  else
    log_.say(unproven ? LogCause::kBadReply : LogCause::kRefused, LogLevel::kError,
             outcome.text + std::string(words_.dropped));
  backlog_.settle(unproven ? Verdict::kUnproven : Verdict::kRefused, 0);
}

void SendingLoop::finish(Clock::time_point deadline) {
  {
    const auto lock = this->lock();
    if (!closing_) {
      closing_ = true;
      closing_deadline_ = deadline;
    }
  }
  work_.notify_all();
  sender_->finish_by(deadline);
  if (thread_.joinable()) thread_.join();
}

}  // namespace exa
