// Damaged files, other encodings and what is no file are errors, never an empty configuration.
#include "agent/config/config_text.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "agent/config/load.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;

Result<LoadedConfig> load_file(std::string text) {
  return load_config({.file_name = "agent.yaml", .file_text = std::move(text)});
}

std::string error_of(std::string text) {
  const auto loaded = load_file(std::move(text));
  return loaded ? "no error" : loaded.error().text;
}

std::string utf16(std::string_view ascii, bool big_endian) {
  std::string text;
  for (const char c : ascii)
    text += big_endian ? std::string{'\0', c} : std::string{c, '\0'};
  return text;
}

TEST(ConfigFileText, NulsAreNoEmptyConfiguration) {
  EXPECT_EQ(error_of("\0\0\0"s), "agent.yaml:1:1: a NUL byte: the file is damaged, or not UTF-8");
  EXPECT_EQ(error_of("window: 5s\n\0targets: {}\nnonsense: 1\n"s),
            "agent.yaml:2:1: a NUL byte: the file is damaged, or not UTF-8");
  EXPECT_EQ(error_of("window: 5s\0"s),
            "agent.yaml:1:11: a NUL byte: the file is damaged, or not UTF-8");
}

// The YAML library takes this one for the end of the file.
TEST(ConfigFileText, NoControlCharacterHidesWhatFollows) {
  EXPECT_EQ(error_of("window: 5s\n\x04\nnonsense: 1\n"),
            "agent.yaml:2:1: a control character (0x04)");
  EXPECT_EQ(error_of("window: 5s # \x1b[2J\n"), "agent.yaml:1:14: a control character (0x1b)");
  EXPECT_EQ(load_file("window:\t5s\r\n")->config.window, 5s);
}

TEST(ConfigFileText, OtherEncodingsAreErrors) {
  const std::string yaml = "window: 5s\n";
  for (const auto& text :
       {"\xff\xfe"s, "\xff\xfe"s + utf16(yaml, false), "\xfe\xff"s + utf16(yaml, true),
        "\xff\xfe\0\0"s + utf16(yaml, false), "\0\0\xfe\xff"s + utf16(yaml, true)})
    EXPECT_THAT(error_of(text),
                AllOf(StartsWith("agent.yaml:1:1: "), HasSubstr("UTF-16 or UTF-32")));
  EXPECT_THAT(error_of(utf16(yaml, false)), StartsWith("agent.yaml:1:2: a NUL byte"));
  EXPECT_THAT(error_of(utf16(yaml, true)), StartsWith("agent.yaml:1:1: a NUL byte"));
}

TEST(ConfigFileText, InvalidUtf8IsAnErrorWithItsPlace) {
  for (const auto* bytes :
       {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\x80"})
    EXPECT_EQ(error_of("window: 5s\nlog: {} # " + std::string(bytes)),
              "agent.yaml:2:11: not valid UTF-8")
        << bytes;
}

TEST(ConfigFileText, ByteOrderMarkAndNamesInAnyScriptAreFine) {
  EXPECT_EQ(load_file("\xef\xbb\xbfwindow: 5s\n")->config.window, 5s);
  EXPECT_EQ(error_of("\xef\xbb\xbftargts: 1\n"),
            "agent.yaml:1:1: targts: unknown key; did you mean 'targets'?");
  const auto named =
      load_file("targets: {resource: {team: \"z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80\"}}\n");
  ASSERT_TRUE(named) << named.error().text;
  EXPECT_THAT(named->config.targets.resource,
              ElementsAre(Pair("team", "z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80")));
}

TEST(ConfigFileText, AnEmptyFileIsTakenForATruncatedOne) {
  for (const auto* text : {"", "\n", " \r\n\t", "\xef\xbb\xbf"})
    EXPECT_THAT(error_of(text), AllOf(StartsWith("agent.yaml:1:1: "), HasSubstr("{}"))) << text;
  EXPECT_EQ(load_file("{}\n")->config, Config{});
  EXPECT_EQ(load_config({})->config, Config{}) << "no file at all";
}

TEST(ConfigFileReading, RefusesWhatIsNoRegularFile) {
  EXPECT_THAT(read_config_file("/nonexistent/agent.yaml").error().text,
              HasSubstr("/nonexistent/agent.yaml: cannot be opened"));
  EXPECT_THAT(read_config_file("/dev/zero").error().text, HasSubstr("not a regular file"));
  EXPECT_FALSE(read_config_file("/tmp"));
  const auto fifo = ::testing::TempDir() + "config_fifo_" + std::to_string(getpid());
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THAT(read_config_file(fifo).error().text, HasSubstr("not a regular file"));
  unlink(fifo.c_str());
}

TEST(ConfigFileReading, RefusesWhatIsTooLarge) {
  const auto path = ::testing::TempDir() + "config_large_" + std::to_string(getpid());
  ASSERT_TRUE(std::ofstream(path) << "{}");
  ASSERT_EQ(truncate(path.c_str(), off_t{1} << 40), 0);  // sparse
  EXPECT_THAT(read_config_file(path).error().text, HasSubstr("larger than 1MiB"));
  unlink(path.c_str());
}

}  // namespace
}  // namespace exa
