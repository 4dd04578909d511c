// The plain sender that the queue is wrapped around: one request out, one verdict back.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace exa {

enum class SendStatus : std::uint8_t {
  kDelivered,  // the backend has it; `rejected` of its items it did not take
  kRetry,      // not decided: later, and not before `retry_after` if that is set
  kRefused,    // will never be taken
  kTooLarge,   // would be taken in smaller pieces
};

// Why, coarsely: picks the limiter's slot of the log line.
enum class SendTrouble : std::uint8_t { kNone, kUnreachable, kRetryStatus, kRefused, kBadReply };

struct SendOutcome {
  SendStatus status = SendStatus::kRetry;
  std::uint64_t rejected = 0;  // from partial success; not yet clamped to what was sent
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
  SendTrouble trouble = SendTrouble::kNone;
  std::string text = {};  // for the log: never a header or a credential
};

class Sender {
 public:
  virtual ~Sender() = default;
  // The exporter's own thread only. Returns within the sender's timeout.
  virtual SendOutcome send(std::string_view request) = 0;
  // Any thread: send() in flight and all later ones end by then, with kRetry if undecided.
  virtual void finish_by(std::chrono::steady_clock::time_point deadline) = 0;
};

}  // namespace exa
