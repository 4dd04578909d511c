#include <gmock/gmock.h>

#include "agent/config/load.h"
#include "agent/config/setting.h"

namespace exa {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ConfigPrint, EveryKeyIsThereAndReadsBack) {
  const auto loaded = load_config({});
  ASSERT_TRUE(loaded);
  const auto yaml = config_yaml(*loaded);
  for (const auto& setting : all_settings()) {
    const auto name = std::string(setting.key.substr(setting.key.rfind('.') + 1));
    EXPECT_THAT(yaml, HasSubstr(name + ":")) << setting.key;
  }
  EXPECT_THAT(yaml, HasSubstr("# record: FILE  # write the raw events"));
  EXPECT_THAT(yaml, HasSubstr("    # exe: [GLOB]  # observe only"));
  EXPECT_THAT(yaml, HasSubstr("  # service_names: {GLOB: NAME}  # service.name of"));
  const auto again = load_config({.file_name = "printed.yaml", .file_text = yaml});
  ASSERT_TRUE(again) << again.error().text << "\n" << yaml;
  EXPECT_EQ(again->config, loaded->config);
}

TEST(ConfigPrint, TextThatLooksLikeSomethingElseReadsBack) {
  for (const char* const text :
       {"null", "Null", "NULL", "~", "True", "yes", "0x1f", "1e3", ".inf"}) {
    auto before = load_config({});
    ASSERT_TRUE(before);
    before->config.targets.resource = {{"team", text}, {text, "a"}};
    before->config.targets.include.exe = {text, "b"};
    before->config.record_path = text;
    const auto again =
        load_config({.file_name = "printed.yaml", .file_text = config_yaml(*before)});
    ASSERT_TRUE(again) << text << ": " << again.error().text;
    EXPECT_EQ(again->config, before->config) << text;
  }
}

TEST(ConfigPrint, StarsAreNoSecret) {
  for (const char* text :
       {"otlp: {headers: {authorization: \"***\"}}\n",
        "otlp: {traces: {headers: {a: b, c: \"***\"}}}\n", "exemplars: {seed: \"***\"}\n"}) {
    const auto loaded = load_config({.file_name = "agent.yaml", .file_text = text});
    ASSERT_FALSE(loaded) << text;
    EXPECT_THAT(loaded.error().text, HasSubstr("'***' is what --print-config prints")) << text;
  }
  // A variable never prevents the start; it is ignored and told.
  const auto loaded = load_config({.environment = {{"OTEL_EXPORTER_OTLP_HEADERS", "a=***"}}});
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->config.otlp.traces.headers, IsEmpty());
  EXPECT_THAT(loaded->warnings, ElementsAre(HasSubstr("'***'")));
}

TEST(SettingTable, TellsWhichSettingsDiffer) {
  Config before;
  EXPECT_THAT(changed_settings(before, before), IsEmpty());
  auto after = before;
  after.window = std::chrono::seconds(1);
  after.otlp.traces.headers = {{"authorization", "x"}};
  after.targets.exclude.port = {80};
  EXPECT_THAT(changed_settings(before, after),
              ElementsAre("window", "targets.exclude.port", "otlp.traces.headers"));
}

}  // namespace
}  // namespace exa
