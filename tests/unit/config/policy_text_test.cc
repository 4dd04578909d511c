#include "agent/config/policy_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "agent/config/load.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

PolicySpec parsed(std::string_view text) {
  const auto policy = parse_policy(text);
  EXPECT_TRUE(policy) << text << ": " << policy.error().text;
  return policy ? *policy : PolicySpec{policy::Never{}};
}

std::string error_of(std::string_view text) {
  const auto policy = parse_policy(text);
  return policy ? "no error: " + policy_text(*policy) : policy.error().text;
}

std::string rule_error_of(std::string_view text) {
  const auto rule = parse_policy_rule(text);
  return rule ? "no error: " + policy_rule_text(*rule) : rule.error().text;
}

TEST(PolicyText, ReadsEachPolicy) {
  EXPECT_EQ(parsed("coordinated"), PolicySpec{});
  EXPECT_EQ(parsed("always"), PolicySpec{});
  EXPECT_EQ(parsed("never()"), PolicySpec{policy::Never{}});
  EXPECT_EQ(parsed(" trace_based "), PolicySpec{policy::TraceBased{}});
  EXPECT_EQ(parsed("bucket"), PolicySpec{policy::FirstOfBucket{}});
  EXPECT_EQ(parsed("probability(10%)"), PolicySpec{policy::Probability{0.1}});
  EXPECT_EQ(parsed("probability(share=0.1)"), PolicySpec{policy::Probability{0.1}});
  EXPECT_EQ(parsed("outlier(500ms)"), PolicySpec{policy::Outlier{500ms}});
  EXPECT_EQ(parsed("percentile(0.9)"), (PolicySpec{policy::Percentile{0.9, 100}}));
  EXPECT_EQ(parsed("percentile(90%,last=50)"), (PolicySpec{policy::Percentile{0.9, 50}}));
  EXPECT_EQ(parsed("time_window(5)"), (PolicySpec{policy::TimeWindow{5, 1s}}));
  EXPECT_EQ(parsed("time_window( 5 , per = 2s )"), (PolicySpec{policy::TimeWindow{5, 2s}}));
  EXPECT_EQ(parsed("traffic_tiered"), PolicySpec{policy::TrafficTiered{}});
  EXPECT_EQ(parsed("traffic_tiered(20=1, above=5%)"),
            (PolicySpec{policy::TrafficTiered{{{20, 1}}, 0.05}}));
  EXPECT_EQ(parsed("adaptive(3)"), (PolicySpec{policy::Adaptive{3, 0.001, 1}}));
  EXPECT_EQ(parsed("latency_tiered(0s=1%, 2s=1)"),
            (PolicySpec{policy::LatencyTiered{{{0s, 0.01}, {2s, 1}}}}));
  EXPECT_EQ(parsed("error_boost(base=2%, slow_from=300ms)"),
            (PolicySpec{policy::ErrorBoost{0.02, 1, 1, 300ms}}));
  EXPECT_EQ(parsed("path_prefix(/admin/)"), PolicySpec{policy::PathPrefix{"/admin/"}});
  EXPECT_EQ(parsed("path_prefix(prefix=/app;v=1/)"), PolicySpec{policy::PathPrefix{"/app;v=1/"}});
  EXPECT_EQ(parsed("any_of(outlier(1s), all_of(trace_based, probability(0.5)))"),
            (PolicySpec{policy::AnyOf{
                {{policy::Outlier{1s}},
                 {policy::AllOf{{{policy::TraceBased{}}, {policy::Probability{0.5}}}}}}}}));
}

TEST(PolicyText, EveryExampleIsReadAndComesBackTheSame) {
  for (const auto& [example, sentence] : policy_descriptions()) {
    const auto policy = parsed(example);
    EXPECT_EQ(parsed(policy_text(policy)), policy) << example;
    EXPECT_FALSE(sentence.empty());
  }
}

TEST(PolicyText, SaysWhatIsWrong) {
  EXPECT_EQ(error_of("probabilty(1%)"),
            "'probabilty' is not a policy; did you mean 'probability'?");
  EXPECT_THAT(error_of("xyz"), HasSubstr("is not a policy, such as"));
  EXPECT_THAT(error_of(""), HasSubstr("is not a policy"));
  EXPECT_EQ(error_of("probability"), "probability needs a value: share");
  EXPECT_THAT(error_of("probability(2)"), HasSubstr("is not a share from 0 to 1"));
  EXPECT_THAT(error_of("probability(1%, 2%)"), HasSubstr("'2%' is not an argument of probability"));
  EXPECT_THAT(error_of("outlier(above=1s, above=2s)"), HasSubstr("is given twice"));
  EXPECT_THAT(error_of("outlier(0s)"), HasSubstr("is not in the range up to 1h"));
  EXPECT_THAT(error_of("outlier(1s"), HasSubstr("parentheses that do not match"));
  EXPECT_THAT(error_of("any_of(outlier(1s)"), HasSubstr("parentheses that do not match"));
  EXPECT_THAT(error_of("any_of(outlier(1s)))"), HasSubstr("parentheses that do not match"));
  EXPECT_THAT(error_of("any_of()"), HasSubstr("any_of needs policies"));
  EXPECT_THAT(error_of("never(1)"), HasSubstr("'1' is not an argument of never"));
  EXPECT_THAT(error_of("percentile(90%, last=5)"), HasSubstr("percentile: "));
  EXPECT_THAT(error_of("traffic_tiered(100=1, 10=1)"), HasSubstr("'10' is not a larger number"));
  EXPECT_THAT(error_of("latency_tiered(1s=1, 1s=1)"), HasSubstr("'1s' is not a longer duration"));
  EXPECT_THAT(error_of("adaptive(1, least=1, most=0.1)"),
              HasSubstr("its minimum share exceeds its maximum"));
  EXPECT_THAT(error_of("all_of(all_of(all_of(all_of(all_of(never)))))"),
              HasSubstr("nested too deeply"));
  EXPECT_THAT(error_of(std::string(2'000, 'a')), HasSubstr("longer than 1024 bytes"));
  EXPECT_THAT(error_of("path_prefix(prefix=)"), HasSubstr("is every path's prefix"));
  EXPECT_THAT(error_of("path_prefix(" + std::string(102, 'a') + ")"),
              HasSubstr("is longer than 101 bytes"));
  EXPECT_THAT(error_of("path_prefix(/a?b)"), HasSubstr("has a query"));
  EXPECT_THAT(error_of("percentile(90%, last=101)"), HasSubstr("percentile: "));
  EXPECT_THAT(error_of("time_window(101)"), HasSubstr("time_window: "));
}

TEST(PolicyText, ReadsRules) {
  const auto rule =
      parse_policy_rule("service=checkout  route=/api/ method=POST port=8080 -> outlier(1s)");
  ASSERT_TRUE(rule) << rule.error().text;
  EXPECT_EQ(*rule, (PolicyRule{.service = "checkout",
                               .route = "/api/",
                               .method = "POST",
                               .port = 8'080,
                               .policy = {policy::Outlier{1s}},
                               .text = "service=checkout route=/api/ method=POST port=8080 -> "
                                       "outlier(1s)"}));
  EXPECT_EQ(policy_rule_text(*rule),
            "service=checkout route=/api/ method=POST port=8080 -> outlier(1s)");
  EXPECT_EQ(*parse_policy_rule(policy_rule_text(*rule)), *rule);
}

TEST(PolicyText, ServicesMayHaveSpaces) {
  const auto rule = parse_policy_rule("service=\"my -> shop\" route=/api/->always");
  ASSERT_TRUE(rule) << rule.error().text;
  EXPECT_EQ(rule->service, "my -> shop");
  EXPECT_EQ(rule->route, "/api/");
  EXPECT_EQ(rule->text, "service=\"my -> shop\" route=/api/ -> coordinated");
  EXPECT_EQ(*parse_policy_rule(rule->text), *rule);
  EXPECT_EQ(parse_policy_rule("service=\"shop\" -> always")->service, "shop");
}

TEST(PolicyText, SaysWhatIsWrongWithARule) {
  EXPECT_THAT(rule_error_of("route=/api/"), HasSubstr("is not conditions -> policy"));
  EXPECT_THAT(rule_error_of("-> always"), HasSubstr("has no condition"));
  EXPECT_THAT(rule_error_of("path=/api/ -> always"),
              HasSubstr("'path' is none of service, route, method and port"));
  EXPECT_THAT(rule_error_of("port=0 -> always"), HasSubstr("0"));
  EXPECT_THAT(rule_error_of("port=1 port=2 -> always"), HasSubstr("is given twice"));
  EXPECT_THAT(rule_error_of("route= -> always"), HasSubstr("'route=' is not a condition"));
  EXPECT_THAT(rule_error_of("route=/ -> sometimes"), HasSubstr("is not a policy"));
  EXPECT_THAT(rule_error_of("service=\"\" -> always"), HasSubstr("is not a condition"));
  EXPECT_THAT(rule_error_of("service=my shop -> always"), HasSubstr("'shop' is not a condition"));
  EXPECT_THAT(rule_error_of("method=get -> always"), HasSubstr("'get' is in small letters"));
  EXPECT_THAT(rule_error_of("method=" + std::string(22, 'M') + " -> always"),
              HasSubstr("is longer than 21 bytes"));
  EXPECT_THAT(rule_error_of("route=/" + std::string(101, 'a') + " -> always"),
              HasSubstr("is longer than 101 bytes"));
  EXPECT_THAT(rule_error_of("route=/a#b -> always"), HasSubstr("has a query"));
  EXPECT_TRUE(parse_policy_rule("method=_OTHER -> always"));
}

TEST(PolicyText, IsReadFromTheFile) {
  const auto loaded = load_config({.file_name = "agent.yaml", .file_text = R"(
exemplars:
  policy: probability(1%)
  rules:
    - route=/admin/ -> always
    - service=checkout -> any_of(outlier(500ms), probability(10%))
)"});
  ASSERT_TRUE(loaded) << loaded.error().text;
  const auto& policies = loaded->config.exemplars.policies;
  EXPECT_EQ(policies.policy, PolicySpec{policy::Probability{0.01}});
  ASSERT_EQ(policies.rules.size(), 2u);
  EXPECT_EQ(policies.rules[0].route, "/admin/");
  const auto wrong = load_config(
      {.file_name = "agent.yaml", .file_text = "exemplars:\n  rules:\n    - route=/ -> maybe\n"});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().text, HasSubstr("agent.yaml:3:7: exemplars.rules: 'maybe'"));
}

std::string refused(const std::string& exemplars) {
  const auto loaded =
      load_config({.file_name = "agent.yaml", .file_text = "exemplars:\n" + exemplars});
  return loaded ? "" : loaded.error().text;
}

TEST(PolicyText, RefusesTheSameRuleTwice) {
  EXPECT_THAT(refused("  rules:\n    - port=1 -> always\n    - port=1  -> coordinated\n"),
              HasSubstr("agent.yaml:4:7: exemplars.rules: 'port=1 -> coordinated' is given twice"));
}

std::string any_of(int count, const std::string& policy) {
  std::string text = "any_of(" + policy;
  for (int i = 1; i < count; ++i)
    text += "," + policy;
  return text + ")";
}

TEST(PolicyText, RefusesWhatCouldNotBeReadOnceItIsWrittenOut) {
  const auto many = any_of(2, any_of(10, "error_boost"));
  ASSERT_LT(many.size(), 300u);
  EXPECT_THAT(refused("  policy: " + many + "\n"),
              HasSubstr("agent.yaml:2:11: exemplars.policy: written out with all arguments: longer "
                        "than 1024 bytes"));
  std::string rules = "  rules:\n";
  for (int i = 1; i < 32; ++i)
    rules += "    - port=" + std::to_string(i) +
             " -> any_of(latency_tiered,traffic_tiered,error_boost)\n";
  EXPECT_THAT(refused(rules), HasSubstr("agent.yaml:3:7: exemplars.rules: longer than 4000 bytes"));
}

TEST(PolicyText, RefusesWhatWouldRememberTooMuch) {
  EXPECT_EQ(refused("  policy: " + any_of(4, "percentile(95%)") + "\n"), "");
  EXPECT_THAT(refused("  policy: " + any_of(5, "percentile(95%)") + "\n"),
              HasSubstr("exemplars.policy: the policies would remember 4240 bytes of a series"));
}

// Whatever is accepted can be printed, recorded and told to the pipeline, and means the same there.
TEST(PolicyText, WhatIsPrintedLoadsAgain) {
  for (const char* const policy :
       {"path_prefix(prefix=/app;v=1/)", "path_prefix(/a b)", "time_window(1, per=1ns)",
        "adaptive(0.1, least=0)", "traffic_tiered(1e6=1)", "latency_tiered(0s=0)"}) {
    const auto loaded = load_config(
        {.file_name = "agent.yaml", .file_text = "exemplars:\n  policy: " + std::string(policy)});
    ASSERT_TRUE(loaded) << loaded.error().text;
    const auto again =
        load_config({.file_name = "printed.yaml", .file_text = config_yaml(*loaded)});
    ASSERT_TRUE(again) << again.error().text;
    EXPECT_EQ(again->config, loaded->config) << policy;
  }
}

TEST(PolicyText, NothingThatIsWrittenHarms) {
  std::mt19937_64 random(11);
  constexpr std::string_view kPieces[] = {
      "any_of(",      "all_of(", ")",    ",",           "=",      "->",      " ",
      "outlier",      "(1s)",    "0.1%", "10",          "bucket", "-",       "(",
      "path_prefix(", "prefix=", "/a",   "error_boost", "\"",     "service="};
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (auto pieces = random() % 12; pieces > 0; --pieces)
      text += kPieces[random() % std::size(kPieces)];
    if (const auto policy = parse_policy(text)) {
      EXPECT_EQ(parsed(policy_text(*policy)), *policy);
    }
    if (const auto rule = parse_policy_rule(text)) {
      EXPECT_EQ(*parse_policy_rule(policy_rule_text(*rule)), *rule);
    }
  }
}

}  // namespace
}  // namespace exa
