// Header blocks that come in pieces: what room they find.
#include "agent/conversation/http2/header_blocks.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace exa {
namespace {

class LargeBlocks : public testing::Test {
 protected:
  // Keeps as many large blocks as there is room for: how many.
  std::size_t fill(Tenant& process) {
    const std::string piece(10'000, 'x');
    std::size_t kept = 0;
    while (blocks_.add(kept_.emplace_back(), process, piece)) {
      EXPECT_EQ(blocks_.text(kept_.back()), piece);
      ++kept;
    }
    return kept;
  }
  Counters counters_;
  MessageBlocks small_{16, counters_};
  HeaderBlocks blocks_{small_, counters_};
  std::vector<KeptBlock> kept_;
};

TEST_F(LargeBlocks, OfOneProcessAreAtMostAsManyAsAreFree) {
  Tenant greedy;
  Tenant other;
  EXPECT_EQ(fill(greedy), 32u);
  EXPECT_EQ(counters_.get(Counter::kHeadBlocksOverShare), 1u);
  EXPECT_EQ(fill(other), 16u);
  for (std::size_t i = 0; i < 32; ++i)
    blocks_.drop(kept_[i], greedy);
  EXPECT_GT(fill(other), 0u) << "what was given back is free";
}

}  // namespace
}  // namespace exa
