#include "agent/exchange/slow_exchanges.h"

#include <gmock/gmock.h>

#include <set>
#include <vector>

namespace exa {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr MonotonicTime kBegin{1'000'000'000};

class Slow : public ::testing::Test {
 protected:
  void begin(std::uint64_t number, std::uint32_t thread, Duration at = {}) {
    slow_.began(static_cast<std::uint32_t>(number), number, thread, kBegin + at);
    open_.insert(number);
  }
  void end(std::uint64_t number) { open_.erase(number); }
  std::vector<std::uint32_t> due(Duration at) {
    const auto threads = slow_.due(kBegin + at, [&](std::uint32_t slot, std::uint64_t number) {
      EXPECT_EQ(slot, number);
      return open_.contains(number);
    });
    return {threads.begin(), threads.end()};
  }

  SlowExchanges slow_;
  std::set<std::uint64_t> open_;
};

TEST_F(Slow, OnesAreLookedAtEveryTwentyMilliseconds) {
  begin(1, 11);
  EXPECT_THAT(due(9ms), IsEmpty());
  EXPECT_THAT(due(10ms), ElementsAre(11));
  EXPECT_THAT(due(29ms), IsEmpty());
  EXPECT_THAT(due(30ms), ElementsAre(11));
  end(1);
  EXPECT_THAT(due(50ms), IsEmpty());
}

TEST_F(Slow, OnesThatHaveEndedAreNot) {
  begin(1, 11);
  begin(2, 12);
  end(1);
  EXPECT_THAT(due(20ms), ElementsAre(12));
}

TEST_F(Slow, ExchangesOfOneThreadAreOneLook) {
  begin(1, 11);
  begin(2, 11);
  EXPECT_THAT(due(20ms), ElementsAre(11));
}

TEST_F(Slow, AStreamOfHoursCostsNothing) {
  begin(1, 11);
  int looks = 0;
  for (Duration at{}; at < 1h; at += 20ms)
    looks += due(at).empty() ? 0 : 1;
  EXPECT_LT(looks, 600);
}

TEST_F(Slow, AnotherOneWaitsForAPlace) {
  for (std::uint64_t number = 1; number <= SlowExchanges::kMost + 1; ++number)
    begin(number, static_cast<std::uint32_t>(100 + number));
  EXPECT_THAT(due(10ms), SizeIs(SlowExchanges::kMost));
  end(1);
  EXPECT_THAT(due(11ms), IsEmpty()) << "the place becomes free";
  EXPECT_THAT(due(12ms), ElementsAre(100 + SlowExchanges::kMost + 1));
}

TEST_F(Slow, OfAFloodTheLatestAreRemembered) {
  for (std::uint64_t number = 1; number <= 3 * SlowExchanges::kRemembered; ++number) {
    begin(number, static_cast<std::uint32_t>(number));
    if (number != 2 * SlowExchanges::kRemembered + 7) end(number);
  }
  EXPECT_THAT(due(20ms), ElementsAre(2 * SlowExchanges::kRemembered + 7));
}

}  // namespace
}  // namespace exa
