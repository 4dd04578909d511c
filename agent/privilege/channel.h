// What the two processes say to each other: messages of one fixed size over a SOCK_SEQPACKET pair,
// which keeps their borders. Non-blocking on both sides; one thread a side. Neither side believes
// the other: what is no message, or carries more than it may, is malformed. What may be said when
// is up to the two ends, agent/run/messages.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

namespace exa {

enum class ChannelMessageType : std::uint32_t {
  kTarget = 1,           // prober: payload is one encoded target; value is the
                         // document whose file is attached, 0 none
  kTargetsComplete = 2,  // prober: the processes of the start have been told;
                         // value is the TlsState
  kLogThreshold = 3,     // prober: value is the new LogThreshold
  kShutdown = 4,         // prober: drain, export and end; value is the deadline, monotonic ns
  kReady = 5,            // pipeline: confined and consuming
  kHeartbeat = 6,        // prober: alive; see agent/run/messages
  kShareLosses = 7,      // pipeline: who lost for want of a share; see agent/run/messages
  kLook = 8,             // pipeline: which threads to look at; see agent/run/messages
  kPolicies = 9,         // prober: policies of exemplars from now on; see agent/run/messages
};

inline constexpr std::size_t kChannelPayloadBytes = 4096;

struct ChannelMessage {
  ChannelMessageType type = ChannelMessageType::kTarget;
  std::uint32_t reserved = 0;  // must be zero
  std::uint64_t value = 0;
  std::array<std::byte, kChannelPayloadBytes> payload{};
};
static_assert(sizeof(ChannelMessage) == 16 + kChannelPayloadBytes);

enum class ChannelOutcome : std::uint8_t {
  kDone,
  kWouldBlock,  // nothing to read, or no room to write
  kClosed,      // the other process is gone
  kMalformed,   // read only: not a message
};

class Channel {
 public:
  Channel() = default;
  explicit Channel(UniqueFd socket) : socket_(std::move(socket)) {}

  static Result<std::pair<Channel, Channel>> make_pair();

  // attached: a descriptor that the other side gets a copy of, or -1. Left out where the kernel has
  // too many on their way.
  ChannelOutcome send(const ChannelMessage& message, int attached = -1);
  // attached: the one descriptor that may come with a message, or nothing. Without it, none may.
  ChannelOutcome receive(ChannelMessage& message, UniqueFd* attached = nullptr);
  [[nodiscard]] int fd() const { return socket_.get(); }

 private:
  UniqueFd socket_;
};

}  // namespace exa
