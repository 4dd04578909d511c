// Who lost something in the pipeline for want of a share, as one message of the channel.
#pragma once

#include <cstddef>
#include <vector>

#include "agent/model/share_loss.h"
#include "agent/privilege/channel.h"

namespace exa {

// What does not fit is left out.
inline constexpr std::size_t kShareLossesPerMessage = 64;
void write_share_losses(const std::vector<ShareLoss>& losses, ChannelMessage& message);
std::vector<ShareLoss> read_share_losses(const ChannelMessage& message);

}  // namespace exa
