// The pure parts of the OTLP room: endpoints, settings, replies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporters/otlp/endpoint_url.h"
#include "exporters/otlp/otlp_exporters.h"
#include "exporters/otlp/reply.h"

namespace exa {
namespace {

TEST(SignalUrl, FollowsTheSpecification) {
  const auto url = [](const char* base, const char* own, bool insecure = false) {
    const auto made = signal_url(base, own, "/v1/traces", insecure);
    return made ? made->url : "refused: " + made.error().text;
  };
  EXPECT_EQ(url("http://h:4318", ""), "http://h:4318/v1/traces");
  EXPECT_EQ(url("http://h:4318/", ""), "http://h:4318/v1/traces");
  EXPECT_EQ(url("https://h/otlp", ""), "https://h/otlp/v1/traces");
  EXPECT_EQ(url("https://h/otlp/", ""), "https://h/otlp/v1/traces");
  EXPECT_EQ(url("http://base", "http://own:1/x"), "http://own:1/x");
  EXPECT_EQ(url("", "http://own:1"), "http://own:1/");
  EXPECT_EQ(url("h:4318", "", true), "http://h:4318/v1/traces");
  EXPECT_EQ(url("h:4318", "", false), "https://h:4318/v1/traces");
  EXPECT_EQ(url("http://[::1]:4318", ""), "http://[::1]:4318/v1/traces");
  for (const char* bad : {"ftp://h", "http://", "http://h:99999", "file:///etc/passwd"})
    EXPECT_THAT(url(bad, ""), testing::StartsWith("refused: ")) << bad;
  const auto secret = signal_url("http://user:hunter2@h:1/p?token=x", "", "/v1/traces", false);
  EXPECT_EQ(secret->display, "http://h:1/p/v1/traces");
}

TEST(SignalUrl, TellsWhereToConnect) {
  const auto place = [](const char* endpoint) {
    const auto made = signal_url(endpoint, "", "/v1/traces", false);
    return made->host + " " + std::to_string(made->port);
  };
  EXPECT_EQ(place("http://collector:4318/otlp"), "collector 4318");
  EXPECT_EQ(place("http://collector"), "collector 80");
  EXPECT_EQ(place("https://user:secret@[2001:db8::1]"), "[2001:db8::1] 443");
}

TEST(OtlpSettingsCheck, NamesWhatIsWrong) {
  OtlpSettings settings;
  EXPECT_FALSE(settings.wanted());
  EXPECT_TRUE(check_otlp_settings(settings).has_value());
  settings.endpoint = "gopher://x";
  EXPECT_TRUE(settings.wanted());
  EXPECT_THAT(check_otlp_settings(settings).error().text, testing::HasSubstr("http://HOST:4318"));
  settings.endpoint = "http://127.0.0.1:1";
  settings.headers = {{"bad\nname", "s3cret"}};
  EXPECT_FALSE(check_otlp_settings(settings).has_value());
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
  EXPECT_EQ(decode_otlp_json_reply(R"({"partialSuccess":{"rejectedSpans":-7}})")->rejected, 0u);
  for (const char* bad : {"[]", "7", "{", R"({"partialSuccess":7})",
                          R"({"partialSuccess":{"rejectedSpans":"many"}})"})
    EXPECT_FALSE(decode_otlp_json_reply(bad).has_value()) << bad;
  EXPECT_FALSE(decode_otlp_json_reply("{\"a\":" + std::string(60'000, '[')).has_value());
}

}  // namespace
}  // namespace exa
