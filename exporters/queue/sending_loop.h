// The thread that sends what a queue holds, one request at a time: backoff and Retry-After, what is
// logged of a backend, how it ends. What waits, and what becomes of it, is the Backlog's business.
// Owned by the backlog, whose last member it is: its thread begins with it and ends in finish().
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include "exa/export/export_counters.h"
#include "exporters/queue/backoff.h"
#include "exporters/queue/limited_log.h"
#include "exporters/queue/queue_settings.h"
#include "exporters/queue/sender.h"

namespace exa {

enum class Verdict : std::uint8_t {
  kDelivered,
  kRefused,
  kUnproven,  // the answer was a success that nobody can read: taken or not, it is not sent again
};

// The queue as the loop sees it. The loop's thread calls it, and holds the loop's lock but for
// attempt().
class Backlog {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  virtual ~Backlog() = default;
  [[nodiscard]] virtual bool empty() const = 0;
  // What has waited too long goes; and when the next does.
  virtual void drop_expired(TimePoint) {}
  [[nodiscard]] virtual TimePoint next_expiry() const { return TimePoint::max(); }
  // Without the lock: sends what is in front, once. It stays in front, unchanged, meanwhile.
  virtual SendOutcome attempt(Sender& sender) = 0;
  // The front is larger than the backend takes. False: it cannot be divided.
  [[nodiscard]] virtual bool divide() = 0;
  // The fate of the front, which leaves. rejected: of its items, not yet clamped.
  virtual void settle(Verdict verdict, std::uint64_t rejected) = 0;
  // After each attempt, when all else is done. paused: the front waits to be tried again.
  virtual void attempt_ended(bool paused) = 0;
  // The loop ends, and this is what it could not send.
  virtual void drop_rest() {}
};

// What a log line says of the items.
struct BacklogWords {
  std::string_view waits;      // after why there is no delivery: "; spans wait in a bounded queue"
  std::string_view again;      // "spans are being delivered again"
  std::string_view dropped;    // after what the backend answered: "; the spans were dropped"
  std::string_view too_large;  // where the front cannot be divided; empty: said as any refusal
};

class SendingLoop {
 public:
  // counters and backlog outlive the loop.
  SendingLoop(Backlog& backlog, std::unique_ptr<Sender> sender, const BacklogWords& words,
              const QueueSettings& settings, ExportCounters& counters, LogSink log);
  ~SendingLoop();
  SendingLoop(const SendingLoop&) = delete;
  SendingLoop& operator=(const SendingLoop&) = delete;

  // Guards the backlog. Any thread; held, but not for long.
  [[nodiscard]] std::unique_lock<std::mutex> lock() const { return std::unique_lock(mutex_); }
  // There is something to send.
  void wake() { work_.notify_one(); }

  // With the lock:
  [[nodiscard]] bool closing() const { return closing_; }
  [[nodiscard]] bool in_flight() const { return in_flight_; }
  // The backend put off what was sent last: until it takes something, or refuses it for good.
  [[nodiscard]] bool failing() const { return failing_; }
  // It is known that there is no attempt before that time.
  [[nodiscard]] bool pauses_until(std::chrono::steady_clock::time_point time) const {
    return !in_flight_ && failing_ && next_attempt_ >= time;
  }
  // Any thread.
  LimitedLog& log() { return log_; }

  // One more attempt at once, whatever the pause was; the loop goes on until all is sent, but not
  // beyond the deadline. Returns when it has ended. Idempotent.
  void finish(std::chrono::steady_clock::time_point deadline);

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  // Waits, and says whether there is a request to send; with the lock.
  enum class Turn { kSend, kLookAgain, kEnd };
  Turn next_turn(std::unique_lock<std::mutex>& lock);
  void judge(const SendOutcome& outcome);
  void pause(const SendOutcome& outcome);
  void conclude(const SendOutcome& outcome);

  Backlog& backlog_;
  const std::unique_ptr<Sender> sender_;
  const BacklogWords words_;
  ExportCounters& counters_;
  LimitedLog log_;

  mutable std::mutex mutex_;
  std::condition_variable work_;  // the loop's thread waits here
  bool in_flight_ = false;
  bool failing_ = false;
  Backoff backoff_;
  Clock::time_point next_attempt_{};
  bool closing_ = false;
  bool last_attempt_made_ = false;
  Clock::time_point closing_deadline_{};
  std::thread thread_;
};

}  // namespace exa
