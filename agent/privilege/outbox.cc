#include "agent/privilege/outbox.h"

namespace exa {

ChannelOutcome Outbox::send(Channel& channel, const ChannelMessage& message, UniqueFd attached) {
  if (waiting_.empty()) {
    const auto outcome = channel.send(message, attached.get());
    if (outcome != ChannelOutcome::kWouldBlock) return outcome;
  }
  if (waiting_.size() >= kMost) return ChannelOutcome::kWouldBlock;
  waiting_.push_back({message, std::move(attached)});
  return ChannelOutcome::kDone;
}

ChannelOutcome Outbox::flush(Channel& channel) {
  while (!waiting_.empty()) {
    const auto outcome = channel.send(waiting_.front().message, waiting_.front().attached.get());
    if (outcome != ChannelOutcome::kDone) return outcome;
    waiting_.pop_front();
  }
  return ChannelOutcome::kDone;
}

}  // namespace exa
