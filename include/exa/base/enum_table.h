// A value for each enumerator, from rows that name theirs. A row that is left out, told twice or
// put elsewhere shifts no other one, as it would in an array. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>

namespace exa {

// Enum ends with kCount.
template <typename Enum, typename Value>
class EnumTable {
 public:
  static constexpr auto kSize = static_cast<std::size_t>(Enum::kCount);

  struct Row {
    Enum of;
    Value value;
  };

  constexpr EnumTable() = default;
  consteval EnumTable(std::initializer_list<Row> rows) : rows_(rows.size()) {
    std::array<bool, kSize> told{};
    for (const auto& row : rows) {
      const auto place = static_cast<std::size_t>(row.of);
      if (told.at(place)) throw "two rows of one enumerator";
      told[place] = true;
      values_[place] = row.value;
    }
  }

  // Of one without a row, what a Value is by itself.
  [[nodiscard]] constexpr const Value& operator[](Enum of) const {
    return values_[static_cast<std::size_t>(of)];
  }
  [[nodiscard]] constexpr bool is_whole() const { return rows_ == kSize; }

 private:
  std::array<Value, kSize> values_{};
  std::size_t rows_ = 0;
};

}  // namespace exa
