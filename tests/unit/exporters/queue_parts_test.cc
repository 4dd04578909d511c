// The small parts around the queue: Retry-After, backoff, limited log, UTF-8.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporters/encoding/utf8.h"
#include "exporters/queue/backoff.h"
#include "exporters/queue/limited_log.h"
#include "exporters/queue/retry_after.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Mon, 20 Nov 2023 10:00:00 GMT
constexpr WallTime kNow{1'700'474'400ull * 1'000'000'000};

TEST(RetryAfter, TakesSecondsClamped) {
  EXPECT_EQ(parse_retry_after("0", kNow), 0s);
  EXPECT_EQ(parse_retry_after(" 120\t", kNow), 120s);
  EXPECT_EQ(parse_retry_after("301", kNow), 300s);
  EXPECT_EQ(parse_retry_after("18446744073709551617", kNow), 300s);
  EXPECT_EQ(parse_retry_after(std::string(10'000, '9'), kNow), 300s);
}

TEST(RetryAfter, TakesTheThreeFormsOfADate) {
  EXPECT_EQ(parse_retry_after("Mon, 20 Nov 2023 10:01:40 GMT", kNow), 100s);
  EXPECT_EQ(parse_retry_after("Monday, 20-Nov-23 10:01:40 GMT", kNow), 100s);
  EXPECT_EQ(parse_retry_after("Mon Nov 20 10:01:40 2023", kNow), 100s);
  EXPECT_EQ(parse_retry_after("Mon Nov  6 10:01:40 2023", kNow), 0s);
  EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", kNow), 0s) << "1994, not 2094";
  EXPECT_EQ(parse_retry_after("Thu, 01 Jan 1970 00:00:00 GMT", kNow), 0s);
  EXPECT_EQ(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", kNow), 300s);
}

TEST(RetryAfter, IgnoresWhatIsNeither) {
  for (const char* text :
       {"", " ", "-1", "+1", "1.5", "1e3", "soon", "Mon", "Mon, 20 Nov 2023 10:01:40",
        "Mon, 20 Nov 2023 10:01:40 CET", "Mon, 32 Nov 2023 10:01:40 GMT",
        "Mon, 30 Feb 2023 10:01:40 GMT", "Mon, 20 Foo 2023 10:01:40 GMT",
        "Mon, 20 Nov 2023 24:01:40 GMT", "Mon, 20 Nov 2023 10:01:40 GMT x", "Mon Nov 20 10:01:40"})
    EXPECT_EQ(parse_retry_after(text, kNow), std::nullopt) << text;
}

TEST(Backoff, DoublesWithinItsBoundsAndJitters) {
  Backoff backoff(1s, 30s, 42);
  std::vector<std::int64_t> pauses;
  for (int i = 0; i < 40; ++i)
    pauses.push_back(backoff.next().count());
  for (const auto pause : pauses) {
    EXPECT_GE(pause, 1'000);
    EXPECT_LE(pause, 30'000);
  }
  EXPECT_EQ(pauses[0], 1'000);
  EXPECT_GE(pauses[4], 8'000);
  EXPECT_LE(pauses[4], 16'000);
  EXPECT_GT(std::set<std::int64_t>(pauses.begin() + 10, pauses.end()).size(), 5u);
  backoff.reset();
  EXPECT_EQ(backoff.next(), 1s);
}

TEST(LimitedLog, SaysOneLineACauseIn30Seconds) {
  std::vector<std::string> lines;
  LimitedLog log([&](LogLevel, std::string_view line) { lines.emplace_back(line); });
  const Clock::time_point start{};
  for (int second = 0; second < 30; ++second)
    log.say(LogCause::kUnreachable, LogLevel::kWarning, "down", start + second * 1s);
  log.say(LogCause::kRefused, LogLevel::kWarning, "refused", start);
  EXPECT_THAT(lines, testing::ElementsAre("down", "refused"));
  EXPECT_TRUE(log.say(LogCause::kUnreachable, LogLevel::kWarning, "down", start + 30s));
  EXPECT_EQ(lines.back(), "down (29 more since the last such line)");
}

TEST(Utf8, RepairsWhatIsNotWellFormed) {
  EXPECT_EQ(repair_utf8("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"), "café € 😀");
  EXPECT_EQ(repair_utf8("a\xff"
                        "b"),
            "a\xef\xbf\xbd"
            "b");
  for (const std::string bad :
       {"\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80", "\xe2\x82", "\xf0\x9f\x98"}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << bad;
    EXPECT_TRUE(is_valid_utf8(repair_utf8(bad))) << bad;
  }
}

}  // namespace
}  // namespace exa
