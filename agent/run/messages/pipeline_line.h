// The prober's end of the channel: what it may hear of the pipeline, which parses the bytes of
// strangers and may be theirs by now. `Word` lists all that a pipeline can make the prober do;
// whatever else it sends ends the line, and that ends the agent. Says and hears without waiting.
// Prober thread, owned by the prober. Holds at most Outbox::kMost messages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/privilege/channel.h"
#include "agent/privilege/outbox.h"
#include "agent/run/messages/look_message.h"
#include "agent/run/messages/share_losses.h"
#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

namespace exa {

class PipelineLine {
 public:
  enum class Word : std::uint8_t {
    kNothing,      // so far, or any more
    kReady,        // confined and consuming: once, after it heard that the targets are complete
    kShareLosses,  // who lost for want of a share: any time after that
    kLook,         // at which threads to look: likewise
  };

  explicit PipelineLine(Channel channel) : channel_(std::move(channel)) {}

  // At most one message, so that one who floods is heard no more often than others are served.
  Word hear();
  // Of a ready pipeline.
  [[nodiscard]] std::uint16_t endpoint_port() const { return endpoint_port_; }
  // Of the last kShareLosses.
  [[nodiscard]] std::vector<ShareLoss> share_losses() const { return read_share_losses(heard_); }

  // Of the last kLook.
  [[nodiscard]] LookList look_list() const { return read_look(heard_); }

  // Now, or once there is room. attached: goes along, or is closed. An error: it was not taken.
  Result<> say(const ChannelMessage& message, UniqueFd attached = {});
  // What waits, as far as there is room by now.
  void flush();
  [[nodiscard]] const Outbox& waiting() const { return outbox_; }

  // Nothing is heard and said any more. Why: it spoke out of turn; without a reason it hung up.
  [[nodiscard]] bool over() const { return over_; }
  [[nodiscard]] const std::string& violation() const { return violation_; }

  // Readable when there is something to hear.
  [[nodiscard]] int fd() const { return channel_.fd(); }

 private:
  void end(std::string violation);
  ChannelOutcome heed(ChannelOutcome outcome);

  Channel channel_;
  Outbox outbox_;
  ChannelMessage heard_;
  std::uint16_t endpoint_port_ = 0;
  bool told_complete_ = false;
  bool ready_ = false;
  bool over_ = false;
  std::string violation_;
};

}  // namespace exa
