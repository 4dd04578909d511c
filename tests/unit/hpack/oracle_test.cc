// Random headers as libnghttp2 encodes them: decoded from the start they are equal; decoded by one
// that joined at any block, or lost one, every field is equal or unknown.
#include <gtest/gtest.h>

#include "tests/support/hpack_oracle.h"
#include "tests/unit/hpack/wire.h"

#if !EXA_HAS_NGHTTP2

TEST(HpackOracle, IsMissing) {
  GTEST_SKIP() << "libnghttp2 was not found when the build was configured; install libnghttp2-dev";
}

#else

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace exa::hpack {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string> >;

// Few names and values, so that entries are used again; some of each that are new.
class Traffic {
 public:
  explicit Traffic(std::uint32_t seed) : random_(seed) {}

  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(random_()) % end; }

  std::vector<OracleField> fields() {
    std::vector<OracleField> fields(1 + below(12));
    for (auto& field : fields)
      field = {name(), value(), below(10) == 0};
    return fields;
  }

 private:
  std::string text(std::size_t length) {
    std::string text;
    const bool binary = below(8) == 0;
    while (text.size() < length)
      text += static_cast<char>(binary ? below(256) : 'a' + below(26));
    return text;
  }
  std::string name() {
    static constexpr const char* kNames[] = {
        ":path",       ":authority", ":status",      "user-agent",   "content-type", "grpc-status",
        "traceparent", "cookie",     "x-request-id", "grpc-timeout", "accept",       "set-cookie"};
    return below(20) == 0 ? text(1 + below(40)) : kNames[below(std::size(kNames))];
  }
  std::string value() {
    if (below(3) == 0) return std::to_string(below(12));
    if (below(60) == 0) return text(1000 + below(3'090));
    return text(below(50));
  }

  std::mt19937 random_;
};

Pairs decode_start(Decoder& decoder, const std::string& block) {
  Pairs pairs;
  const auto result = decoder.decode(block, [&](const Field& field) {
    EXPECT_TRUE(field.name_known && field.value_known);
    EXPECT_EQ(field.unknown_id, 0);
    pairs.emplace_back(field.name, field.value);
  });
  EXPECT_EQ(result.status, BlockStatus::kDecoded);
  EXPECT_EQ(result.dropped_fields, 0u);
  return pairs;
}

// A decoder that does not know all, beside the truth. What it calls by one number is one text. What
// is one text has one number while only entries from before are unknown: no encoder has a pair
// twice, and what is inserted again is known from then on. It has others where entries since are
// not held.
class Onlooker {
 public:
  explicit Onlooker(Start start) : decoder_(start) {}

  Decoder& decoder() { return decoder_; }
  void lose() {
    decoder_.lose();
    number_of_.clear();
  }

  void check(const std::string& block, const Pairs& truth, bool check_numbers) {
    std::size_t at = 0;
    const auto result = decoder_.decode(block, [&](const Field& field) {
      ASSERT_LT(at, truth.size());
      const auto& [name, value] = truth[at++];
      EXPECT_EQ(field.name, field.name_known ? name : "");
      EXPECT_EQ(field.value, field.value_known ? value : "");
      if (field.name_known && field.value_known) {
        EXPECT_EQ(field.unknown_id, 0);
        ++known;
        return;
      }
      ++unknown;
      ASSERT_NE(field.unknown_id, 0);
      const auto named = name_of_.try_emplace(field.unknown_id, name).first->second;
      EXPECT_EQ(named, name) << field.unknown_id;
      if (field.value_known) return;
      const auto valued = value_of_.try_emplace(field.unknown_id, value).first->second;
      EXPECT_EQ(valued, value) << field.unknown_id;
      if (!check_numbers) return;
      const auto number = number_of_.try_emplace(truth[at - 1], field.unknown_id).first->second;
      EXPECT_EQ(number, field.unknown_id) << name << ": " << value;
    });
    EXPECT_EQ(result.status, BlockStatus::kDecoded);
    EXPECT_EQ(at, truth.size());
  }

  std::size_t known = 0;
  std::size_t unknown = 0;

 private:
  Decoder decoder_;
  std::map<std::int64_t, std::string> name_of_;
  std::map<std::int64_t, std::string> value_of_;
  std::map<std::pair<std::string, std::string>, std::int64_t> number_of_;
};

struct Case {
  const char* name;
  std::uint32_t encoder_bytes;        // the most its table will have
  std::vector<std::uint32_t> limits;  // that the peer announces, one after the other
  bool numbers_unique;                // what is inserted since a join is all held
};

void PrintTo(const Case& shown, std::ostream* out) {
  *out << shown.name;
}

class HpackOracle : public ::testing::TestWithParam<Case> {};

TEST_P(HpackOracle, EncodesWhatIsDecodedEqualOrUnknown) {
  std::size_t known = 0;
  std::size_t unknown = 0;
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    Traffic traffic(seed);
    OracleEncoder encoder(GetParam().encoder_bytes);
    OracleDecoder oracle;
    Decoder start;
    const auto rooms = std::make_unique<LargeTableRoom[]>(2);
    Onlooker joined(Start::kJoined);
    Onlooker losing(Start::kFromStart);
    const auto joins_at = traffic.below(60);
    const bool tell_joined_limit = seed % 2 == 0;
    bool lost = false;
    std::uint32_t limit = kInitialTableBytes;
    for (std::uint32_t i = 0; i < 150; ++i) {
      if (!GetParam().limits.empty() && traffic.below(15) == 0) {
        limit =
            GetParam().limits[traffic.below(static_cast<std::uint32_t>(GetParam().limits.size()))];
        encoder.set_limit(limit);
        oracle.set_limit(limit);
        start.set_limit(limit);
        // Before the encoder uses it: its first block may hold more than fits otherwise.
        if (limit > kInitialTableBytes) start.use_large_table(rooms[0]);
        if (!lost) losing.decoder().set_limit(limit);
        if (tell_joined_limit && i >= joins_at) joined.decoder().set_limit(limit);
      }
      const auto block = encoder.encode(traffic.fields());
      const auto truth = oracle.decode(block);
      ASSERT_TRUE(truth.has_value());
      ASSERT_TRUE(decode_start(start, block) == *truth) << "seed " << seed << ", block " << i;
      if (i >= joins_at) {
        joined.check(block, *truth, GetParam().numbers_unique);
        if (joined.decoder().wants_large_table()) joined.decoder().use_large_table(rooms[1]);
      }
      if (i % 50 == 49) {
        losing.lose();
        lost = true;
      } else {
        losing.check(block, *truth, GetParam().numbers_unique);
      }
      if (HasFailure()) FAIL() << "seed " << seed << ", block " << i;
    }
    known += joined.known + losing.known;
    unknown += joined.unknown + losing.unknown;
  }
  // Both kinds, or this says nothing.
  EXPECT_GT(known, 1'000u);
  EXPECT_GT(unknown, 100u);
}

INSTANTIATE_TEST_SUITE_P(
    Tables, HpackOracle,
    ::testing::Values(Case{"usual", 4096, {}, true}, Case{"small", 300, {}, true},
                      Case{"changing", 4096, {0, 60, 100, 500, 1'000, 4'096}, true},
                      Case{"of_16_KiB", 16'384, {4'096, 8'000, 16'384}, false}),
    [](const auto& param) { return param.param.name; });

// The encoder's table is larger than what is held: then of it, too, some is unknown.
TEST(HpackOracle, HasALargerTableThanIsHeld) {
  for (const bool large_room : {false, true}) {
    std::size_t unknown = 0;
    for (std::uint32_t seed = 0; seed < 20; ++seed) {
      Traffic traffic(seed);
      OracleEncoder encoder(65'536);
      OracleDecoder oracle;
      const auto room = std::make_unique<LargeTableRoom>();
      Onlooker start(Start::kFromStart);
      encoder.set_limit(65'536);
      oracle.set_limit(65'536);
      start.decoder().set_limit(65'536);
      for (int i = 0; i < 400; ++i) {
        const auto block = encoder.encode(traffic.fields());
        const auto truth = oracle.decode(block);
        ASSERT_TRUE(truth.has_value());
        start.check(block, *truth, false);
        if (large_room && start.decoder().wants_large_table())
          start.decoder().use_large_table(*room);
        if (HasFailure()) FAIL() << "seed " << seed << ", block " << i;
      }
      unknown += start.unknown;
    }
    EXPECT_GT(unknown, 20u);
  }
}

}  // namespace
}  // namespace exa::hpack

#endif
