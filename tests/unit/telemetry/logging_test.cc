#include "agent/telemetry/logging.h"

#include <gmock/gmock.h>

namespace exa {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::string logged(LogFormat format, std::string_view text) {
  ::testing::internal::CaptureStderr();
  Log(LogThreshold::kInfo, format, "exemplar-agent").warn(text);
  return ::testing::internal::GetCapturedStderr();
}

TEST(Log, WritesOneTextLine) {
  EXPECT_THAT(logged(LogFormat::kText, "ring is full"),
              MatchesRegex("20..-..-..T..:..:..\\....Z warning exemplar-agent: ring is full\n"));
}

TEST(Log, HostileTextStaysOnItsLine) {
  EXPECT_THAT(logged(LogFormat::kText, "a\nb\x1b[31m\xff"), HasSubstr("a\\x0ab\\x1b[31m\\xff\n"));
  EXPECT_THAT(logged(LogFormat::kJson, "say \"no\"\n"),
              HasSubstr("\"text\":\"say \\\"no\\\"\\\\x0a\"}\n"));
}

TEST(Log, BelowItsLevelNothingIsWritten) {
  ::testing::internal::CaptureStderr();
  Log log(LogThreshold::kError, LogFormat::kText, "x");
  log.warn("quiet");
  log.set_level(LogThreshold::kDebug);
  log.debug("loud");
  const auto text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, Not(HasSubstr("quiet")));
  EXPECT_THAT(text, HasSubstr("loud"));
}

TEST(OccasionalLog, SaysACauseOnceAnIntervalAndHowOftenItWasSilent) {
  ::testing::internal::CaptureStderr();
  const Log log(LogThreshold::kInfo, LogFormat::kText, "x");
  OccasionalLog occasional(log, 30s);
  const MonotonicTime start{1'000'000'000};
  EXPECT_TRUE(occasional.warn("export", "backend is down", start));
  EXPECT_FALSE(occasional.warn("export", "backend is down", start + 1s));
  EXPECT_FALSE(occasional.warn("export", "backend is down", start + 29s));
  EXPECT_TRUE(occasional.warn("ring", "ring is full", start + 2s));
  EXPECT_TRUE(occasional.warn("export", "backend is down", start + 30s));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("backend is down (2 more since the last line)"));
}

TEST(OccasionalLog, CausesAreBounded) {
  const Log log(LogThreshold::kOff, LogFormat::kText, "x");
  OccasionalLog occasional(log, 30s);
  const MonotonicTime start{1'000'000'000};
  int said = 0;
  for (int i = 0; i < 1000; ++i)
    said += occasional.warn(std::to_string(i), "text", start) ? 1 : 0;
  EXPECT_EQ(said, static_cast<int>(OccasionalLog::kMaxCauses) + 1);
}

}  // namespace
}  // namespace exa
