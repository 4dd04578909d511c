#include "agent/run/messages/share_losses.h"

#include <gmock/gmock.h>

namespace exa {
namespace {

TEST(ShareLosses, PassTheChannel) {
  std::vector<ShareLoss> losses(100);
  for (std::uint32_t i = 0; i < losses.size(); ++i)
    losses[i] = {.tgid = i, .comm = {}, .lost = {i, 2 * i, 3 * i}};
  losses[1].comm.assign("sixteen-byte-nam");
  ChannelMessage message;
  write_share_losses(losses, message);
  const auto read = read_share_losses(message);
  ASSERT_EQ(read.size(), kShareLossesPerMessage);
  EXPECT_EQ(read[1].comm.view(), "sixteen-byte-nam");
  EXPECT_EQ(read[63].tgid, 63u);
  EXPECT_EQ(read[63].lost[2], 189u);
  message.value = ~0ull;
  EXPECT_EQ(read_share_losses(message).size(), kShareLossesPerMessage) << "whatever it claims";
}

}  // namespace
}  // namespace exa
