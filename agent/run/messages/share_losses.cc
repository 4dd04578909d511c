#include "agent/run/messages/share_losses.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace exa {
namespace {

struct WireLoss {
  std::uint32_t tgid;
  std::uint32_t reserved;
  std::array<char, 16> comm;
  std::array<std::uint64_t, kPlaceKinds> lost;
};
static_assert(kShareLossesPerMessage * sizeof(WireLoss) <= kChannelPayloadBytes);

}  // namespace

void write_share_losses(const std::vector<ShareLoss>& losses, ChannelMessage& message) {
  message.type = ChannelMessageType::kShareLosses;
  message.value = std::min(losses.size(), kShareLossesPerMessage);
  message.payload = {};
  for (std::size_t i = 0; i < message.value; ++i) {
    WireLoss wire{.tgid = losses[i].tgid, .reserved = 0, .comm = {}, .lost = losses[i].lost};
    const auto comm = losses[i].comm.view();
    std::copy_n(comm.begin(), std::min(comm.size(), wire.comm.size()), wire.comm.begin());
    std::memcpy(message.payload.data() + i * sizeof wire, &wire, sizeof wire);
  }
}

std::vector<ShareLoss> read_share_losses(const ChannelMessage& message) {
  std::vector<ShareLoss> losses(std::min<std::uint64_t>(message.value, kShareLossesPerMessage));
  for (std::size_t i = 0; i < losses.size(); ++i) {
    WireLoss wire;
    std::memcpy(&wire, message.payload.data() + i * sizeof wire, sizeof wire);
    losses[i].tgid = wire.tgid;
    losses[i].comm.assign({wire.comm.data(), ::strnlen(wire.comm.data(), wire.comm.size())});
    losses[i].lost = wire.lost;
  }
  return losses;
}

}  // namespace exa
