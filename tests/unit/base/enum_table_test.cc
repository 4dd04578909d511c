#include "exa/base/enum_table.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

enum class Colour { kRed, kGreen, kBlue, kCount };

TEST(EnumTable, GivesEachItsOwnWhateverTheOrderOfRows) {
  constexpr EnumTable<Colour, int> kTable = {
      {Colour::kBlue, 3}, {Colour::kRed, 1}, {Colour::kGreen, 2}};
  static_assert(kTable.is_whole());
  EXPECT_EQ(kTable[Colour::kRed], 1);
  EXPECT_EQ(kTable[Colour::kGreen], 2);
  EXPECT_EQ(kTable[Colour::kBlue], 3);
}

TEST(EnumTable, ALeftOutRowShiftsNoOther) {
  constexpr EnumTable<Colour, int> kTable = {{Colour::kBlue, 3}};
  static_assert(!kTable.is_whole());
  EXPECT_EQ(kTable[Colour::kGreen], 0);
  EXPECT_EQ(kTable[Colour::kBlue], 3);
}

}  // namespace
}  // namespace exa
