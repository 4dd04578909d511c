#include "agent/run/prober/second_looks.h"

#include <gmock/gmock.h>

namespace exa {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kBegan = 1'000 * kSecond;

TEST(SecondLooks, AreThree) {
  SecondLooks looks;
  looks.note(7, kBegan, kBegan);
  std::vector<std::uint64_t> when;
  for (std::uint64_t age = 0; age < 200; ++age)
    if (!looks.due(kBegan + age * kSecond).empty()) when.push_back(age);
  EXPECT_THAT(when, ElementsAre(2, 15, 60));
}

TEST(SecondLooks, OfAProcessThatWasNotedAgainAreNoMore) {
  SecondLooks looks;
  for (int i = 0; i < 5; ++i)
    looks.note(7, kBegan, kBegan + kSecond);
  EXPECT_THAT(looks.due(kBegan + 3 * kSecond), ElementsAre(7));
  looks.note(7, kBegan, kBegan + 3 * kSecond);
  EXPECT_THAT(looks.due(kBegan + 3 * kSecond), IsEmpty());
  EXPECT_THAT(looks.due(kBegan + 20 * kSecond), ElementsAre(7));
}

TEST(SecondLooks, NobodyWhoHasRunForLongIsLookedAt) {
  SecondLooks looks;
  looks.note(7, kBegan, kBegan + 61 * kSecond);
  EXPECT_THAT(looks.due(kBegan + 1'000 * kSecond), IsEmpty());
}

TEST(SecondLooks, AreAFewAtATimeTheOldestFirst) {
  SecondLooks looks;
  for (std::uint32_t tgid = 0; tgid < SecondLooks::kMax + 10; ++tgid)
    looks.note(tgid, kBegan + tgid, kBegan + tgid);
  const auto first = looks.due(kBegan + 10 * kSecond);
  ASSERT_EQ(first.size(), SecondLooks::kAtOnce);
  EXPECT_EQ(first.front(), 0u);
  std::size_t all = first.size();
  for (std::size_t now; (now = looks.due(kBegan + 10 * kSecond).size()) > 0;)
    all += now;
  EXPECT_EQ(all, SecondLooks::kMax);
}

}  // namespace
}  // namespace exa
