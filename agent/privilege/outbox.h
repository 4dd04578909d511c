// Messages to the other process that it had no room for yet, so that nobody who has more to do ever
// waits for it: it may be stopped. Prober thread. Whoever makes messages stops while there is no
// room; the few that may not wait (settings read anew, the end) go in all the same, up to a bound.
#pragma once

#include <cstddef>
#include <deque>

#include "agent/privilege/channel.h"
#include "exa/base/unique_fd.h"

namespace exa {

class Outbox {
 public:
  static constexpr std::size_t kRoom = 512;  // messages: 2 MiB
  static constexpr std::size_t kMost = kRoom + 64;

  [[nodiscard]] bool has_room() const { return waiting_.size() < kRoom; }
  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }

  // At once if nothing waits before it. attached: goes along, or is closed. kWouldBlock: there are
  // kMost already.
  ChannelOutcome send(Channel& channel, const ChannelMessage& message, UniqueFd attached = {});
  // What the channel takes now, in order.
  ChannelOutcome flush(Channel& channel);

 private:
  struct Waiting {
    ChannelMessage message;
    UniqueFd attached;
  };
  std::deque<Waiting> waiting_;
};

}  // namespace exa
