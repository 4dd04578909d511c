#include "exa/base/hash_index.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>
#include <vector>

namespace exa {
namespace {

TEST(HashIndex, FindsWhatIsInItAndNothingElse) {
  HashIndex index(4);
  index.insert(7, 1);
  index.insert(7, 2);  // the same hash
  EXPECT_EQ(index.find(7, [](std::uint32_t entry) { return entry == 2; }), 2u);
  EXPECT_EQ(index.find(7, [](std::uint32_t) { return false; }), HashIndex::kNone);
  EXPECT_EQ(index.find(8, [](std::uint32_t) { return true; }), HashIndex::kNone);
  index.erase(7, 1);
  EXPECT_EQ(index.find(7, [](std::uint32_t) { return true; }), 2u);
}

TEST(HashIndex, HoldsNothingAtAll) {
  HashIndex index(0);
  EXPECT_EQ(index.find(0, [](std::uint32_t) { return true; }), HashIndex::kNone);
}

// Few hashes, so that runs of cells grow together, wrap around and are closed.
TEST(HashIndex, AgreesWithAMapWhateverComesAndGoes) {
  constexpr std::uint32_t kMost = 64;
  std::mt19937_64 random(20260711);
  for (const std::uint64_t hashes : {1ull, 3ull, 50ull, 1ull << 40}) {
    HashIndex index(kMost);
    std::unordered_map<std::uint32_t, std::uint64_t> held;  // entry to hash
    for (int step = 0; step < 20'000; ++step) {
      const auto entry = static_cast<std::uint32_t>(random() % kMost);
      if (const auto known = held.find(entry); known != held.end()) {
        index.erase(known->second, entry);
        held.erase(known);
      } else {
        held[entry] = random() % hashes * 127;
        index.insert(held[entry], entry);
      }
      const auto asked = static_cast<std::uint32_t>(random() % kMost);
      const auto known = held.find(asked);
      const auto hash = known == held.end() ? random() % hashes * 127 : known->second;
      ASSERT_EQ(index.find(hash, [&](std::uint32_t at) { return at == asked; }),
                known == held.end() ? HashIndex::kNone : asked);
    }
  }
}

}  // namespace
}  // namespace exa
