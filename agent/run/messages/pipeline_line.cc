#include "agent/run/messages/pipeline_line.h"

#include <limits>

namespace exa {

PipelineLine::Word PipelineLine::hear() {
  if (over_) return Word::kNothing;
  switch (channel_.receive(heard_)) {
    case ChannelOutcome::kWouldBlock:
      return Word::kNothing;
    case ChannelOutcome::kClosed:
      end({});
      return Word::kNothing;
    case ChannelOutcome::kMalformed:
      end("a malformed message");
      return Word::kNothing;
    case ChannelOutcome::kDone:
      break;
  }
  if (heard_.type == ChannelMessageType::kShareLosses && ready_ &&
      heard_.value <= kShareLossesPerMessage)
    return Word::kShareLosses;
  if (heard_.type == ChannelMessageType::kLook && ready_) return Word::kLook;
  if (heard_.type == ChannelMessageType::kShareLosses)
    end("share losses out of turn, or too many");
  else if (heard_.type == ChannelMessageType::kLook)
    end("a look before it was ready");
  else if (heard_.type != ChannelMessageType::kReady)
    end("a message only the prober may send");
  else if (ready_)
    end("ready twice");
  else if (!told_complete_)
    end("ready before it could be");
  else if (heard_.value > std::numeric_limits<std::uint16_t>::max())
    end("an invalid port");
  if (over_) return Word::kNothing;
  ready_ = true;
  endpoint_port_ = static_cast<std::uint16_t>(heard_.value);
  return Word::kReady;
}

Result<> PipelineLine::say(const ChannelMessage& message, UniqueFd attached) {
  if (!over_ &&
      heed(outbox_.send(channel_, message, std::move(attached))) == ChannelOutcome::kWouldBlock)
    return fail("the pipeline process is too far behind to take more messages");
  if (over_) return fail("the pipeline process stopped listening");
  if (message.type == ChannelMessageType::kTargetsComplete) told_complete_ = true;
  return {};
}

void PipelineLine::flush() {
  if (!over_) heed(outbox_.flush(channel_));
}

ChannelOutcome PipelineLine::heed(ChannelOutcome outcome) {
  if (outcome == ChannelOutcome::kClosed) end({});
  return outcome;
}

void PipelineLine::end(std::string violation) {
  over_ = true;
  violation_ = std::move(violation);
}

}  // namespace exa
