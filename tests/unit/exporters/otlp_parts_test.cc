// The pure parts of the OTLP room: settings, replies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporters/otlp/make_otlp.h"
#include "exporters/otlp/reply.h"

namespace exa {
namespace {

TEST(OtlpSettingsCheck, NamesWhatIsWrong) {
  EXPECT_TRUE(check_otlp_settings({.url = "http://127.0.0.1:1/v1/traces"}).has_value());
  const auto gopher = check_otlp_settings({.url = "gopher://user:hunter2@x"});
  ASSERT_FALSE(gopher.has_value());
  EXPECT_THAT(gopher.error().text, testing::HasSubstr("the OTLP endpoint is not usable: "));
  EXPECT_THAT(gopher.error().text, testing::HasSubstr("http://HOST:4318"));
  EXPECT_THAT(gopher.error().text, testing::Not(testing::HasSubstr("hunter2")));
  const auto header =
      check_otlp_settings({.url = "http://127.0.0.1:1", .headers = {{"bad\nname", "s3cret"}}});
  ASSERT_FALSE(header.has_value());
  EXPECT_THAT(header.error().text, testing::HasSubstr("'bad.name'"));
  EXPECT_THAT(header.error().text, testing::Not(testing::HasSubstr("s3cret")));
}

TEST(OtlpReply, ToleratesUnknownFieldsAndRefusesGarbage) {
  EXPECT_TRUE(decode_otlp_reply("").has_value());
  EXPECT_TRUE(decode_otlp_reply(std::string("\x12\x03"
                                            "abc",
                                            5))
                  .has_value());
  EXPECT_FALSE(decode_otlp_reply("<html>").has_value());
  EXPECT_FALSE(decode_otlp_reply("\x0a\x7f").has_value());
  EXPECT_FALSE(decode_otlp_reply("\x1f\x8b\x08").has_value());
  EXPECT_TRUE(decode_otlp_json_reply("{}").has_value());
  EXPECT_EQ(decode_otlp_json_reply(R"({"partialSuccess":{"rejectedDataPoints":7}})")->rejected, 7u);
  EXPECT_EQ(decode_otlp_json_reply(R"({"partialSuccess":{"rejectedLogRecords":"3"}})")->rejected,
            3u);
  EXPECT_EQ(decode_otlp_json_reply(R"({"partialSuccess":{"rejectedSpans":-7}})")->rejected, 0u);
  for (const char* bad : {"[]", "7", "{", R"({"partialSuccess":7})",
                          R"({"partialSuccess":{"rejectedSpans":"many"}})"})
    EXPECT_FALSE(decode_otlp_json_reply(bad).has_value()) << bad;
  EXPECT_FALSE(decode_otlp_json_reply("{\"a\":" + std::string(60'000, '[')).has_value());
}

}  // namespace
}  // namespace exa
