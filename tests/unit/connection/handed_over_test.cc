#include "agent/connection/handed_over.h"

#include <gtest/gtest.h>

#include <string>

namespace exa {
namespace {

constexpr MonotonicTime at_second(std::uint64_t second) {
  return {second * 1'000'000'000};
}

TEST(HandedOver, HoldsWhereNoByteHasGoneBySince) {
  HandedOver known;
  known.put(7, Direction::kIngress, 1'000, at_second(1), "in");
  known.put(7, Direction::kEgress, 2'000, at_second(1), "out");
  known.put(8, Direction::kIngress, 3'000, at_second(1), "other");
  auto next = HandedOver::from_text(known.to_text(at_second(5)), at_second(6));
  EXPECT_EQ(next.take(7, Direction::kIngress, 1'000), "in");
  EXPECT_EQ(next.take(7, Direction::kIngress, 1'000), "") << "once";
  EXPECT_EQ(next.take(7, Direction::kEgress, 2'001), "") << "a byte more";
  EXPECT_EQ(next.take(7, Direction::kEgress, 2'000), "") << "nor later";
  EXPECT_EQ(next.take(9, Direction::kIngress, 3'000), "") << "another socket";
  EXPECT_EQ(next.take(8, Direction::kEgress, 3'000), "") << "another direction";
  EXPECT_EQ(next.take(8, Direction::kIngress, 3'000), "other");
}

TEST(HandedOver, TheLatestCounts) {
  HandedOver known;
  known.put(7, Direction::kIngress, 1'000, at_second(1), "old");
  known.put(7, Direction::kIngress, 1'500, at_second(2), "new");
  EXPECT_EQ(known.size(), 1u);
  EXPECT_EQ(known.take(7, Direction::kIngress, 1'500), "new");
}

TEST(HandedOver, HoldsForAMinute) {
  HandedOver known;
  known.put(7, Direction::kIngress, 1'000, at_second(1), "in");
  const auto text = known.to_text(at_second(100));
  EXPECT_EQ(HandedOver::from_text(text, at_second(160)).size(), 1u);
  EXPECT_EQ(HandedOver::from_text(text, at_second(161)).size(), 0u);
  EXPECT_EQ(HandedOver::from_text(text, at_second(99)).size(), 0u) << "made before a reboot";
}

TEST(HandedOver, WaitsForAnHourAtTheMost) {
  HandedOver known;
  known.put(7, Direction::kIngress, 1'000, at_second(100), "in");
  known.put(8, Direction::kIngress, 1'000, at_second(200), "in");
  known.forget_old(at_second(3'700));
  EXPECT_EQ(known.size(), 2u);
  known.forget_old(at_second(3'701));
  EXPECT_EQ(known.size(), 1u);
  EXPECT_EQ(HandedOver::from_text(known.to_text(at_second(3'801)), at_second(3'802)).size(), 0u);
}

TEST(HandedOver, OfADamagedTextNothingIs) {
  HandedOver known;
  known.put(7, Direction::kIngress, 1'000, at_second(1), "in");
  known.put(8, Direction::kEgress, 2'000, at_second(1), std::string(100, 'x'));
  const auto text = known.to_text(at_second(1));
  for (std::size_t bytes = 0; bytes < text.size(); ++bytes)
    EXPECT_EQ(HandedOver::from_text(text.substr(0, bytes), at_second(1)).size(), 0u);
  EXPECT_EQ(HandedOver::from_text(text + "y", at_second(1)).size(), 0u);
}

TEST(HandedOver, HasNoMoreThanItsRoom) {
  HandedOver known;
  for (SocketId socket = 1; socket < 20; ++socket)
    known.put(socket, Direction::kIngress, 1, at_second(1),
              std::string(HandedOver::kMaxTextBytes / 10, 'x'));
  EXPECT_EQ(known.size(), 9u);
  known.put(30, Direction::kIngress, 1, at_second(1), "small");
  EXPECT_EQ(known.size(), 10u);
}

}  // namespace
}  // namespace exa
