#include "agent/commands/cli.h"

#include <gmock/gmock.h>

#include "agent/model/exit_codes.h"
#include "exa/base/overloaded.h"

namespace exa {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using ::testing::internal::CaptureStderr;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStderr;
using ::testing::internal::GetCapturedStdout;

ParsedCommandLine parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "exemplar-agent");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

CommandLine command_of(std::vector<const char*> words) {
  auto result = parsed(std::move(words));
  EXPECT_TRUE(std::holds_alternative<CommandLine>(result));
  return std::visit(Overloaded{[](CommandLine& command) { return std::move(command); },
                               [](int) { return CommandLine{}; }},
                    result);
}

// Of words that are no command: the exit code, and what is printed.
struct Refusal {
  int exit_code = -1;
  std::string standard_output;
  std::string standard_error;
};
Refusal refusal_of(std::vector<const char*> words) {
  CaptureStdout();
  CaptureStderr();
  const auto result = parsed(std::move(words));
  Refusal refusal;
  refusal.standard_output = GetCapturedStdout();
  refusal.standard_error = GetCapturedStderr();
  if (const auto* const code = std::get_if<int>(&result)) refusal.exit_code = *code;
  return refusal;
}

auto flag_of(const char* flag, const std::vector<std::string>& values) {
  return AllOf(Field(&FlagSetting::flag, flag), Field(&FlagSetting::values, values));
}

TEST(CommandLine, OfAScalarFlagTheLastHolds) {
  EXPECT_THAT(
      command_of(
          {"run", "--window", "5s", "--include-pid", "1", "--window", "7s", "--include-pid", "2"})
          .flags,
      UnorderedElementsAre(flag_of("--window", {"7s"}), flag_of("--include-pid", {"1", "2"})));
}

TEST(CommandLine, NamesAVerb) {
  EXPECT_EQ(command_of({"run"}).verb, Verb::kRun);
  EXPECT_EQ(command_of({"check"}).verb, Verb::kCheck);
  EXPECT_EQ(command_of({"status"}).verb, Verb::kStatus);
  EXPECT_EQ(command_of({"explain"}).verb, Verb::kExplain);
  EXPECT_EQ(command_of({"version"}).verb, Verb::kVersion);
  const auto replay = command_of({"replay", "traffic.exa"});
  EXPECT_EQ(replay.verb, Verb::kReplay);
  EXPECT_EQ(replay.replay_path, "traffic.exa");
}

TEST(CommandLine, HasAFlagForASetting) {
  const auto command = command_of({"run", "--config", "a.yaml", "--window", "30s"});
  EXPECT_EQ(command.config_path, "a.yaml");
  EXPECT_THAT(command.flags, ElementsAre(flag_of("--window", {"30s"})));
  EXPECT_FALSE(command.print_config);
  EXPECT_THAT(command_of({"run"}).flags, IsEmpty());
  EXPECT_TRUE(command_of({"run", "--print-config"}).print_config);
}

TEST(CommandLine, MayRepeatAFlagOfAList) {
  const auto command = command_of({"run", "--include-exe", "*/nginx", "--include-exe", "node"});
  EXPECT_THAT(command.flags, ElementsAre(flag_of("--include-exe", {"*/nginx", "node"})));
}

TEST(CommandLine, StatusIsATableUnlessAskedForJson) {
  EXPECT_EQ(command_of({"status"}).told_form, ToldForm::kText);
  EXPECT_EQ(command_of({"status", "--json"}).told_form, ToldForm::kJson);
  EXPECT_THAT(command_of({"status", "--lock-file", "/run/other.lock"}).flags,
              ElementsAre(flag_of("--lock-file", {"/run/other.lock"})));
}

// A flag that would do nothing is refused.
TEST(CommandLine, TakesOnlyFlagsThatMeanSomethingToTheVerb) {
  EXPECT_EQ(refusal_of({"replay", "traffic.exa", "--window", "30s"}).exit_code,
            kExitBadConfiguration);
  EXPECT_EQ(refusal_of({"status", "--window", "30s"}).exit_code, kExitBadConfiguration);
  EXPECT_EQ(refusal_of({"replay"}).exit_code, kExitBadConfiguration) << "of which recording?";
}

TEST(CommandLine, SaysWhatWasMeant) {
  const auto nearly = refusal_of({"statu"});
  EXPECT_EQ(nearly.exit_code, kExitBadConfiguration);
  EXPECT_THAT(nearly.standard_error, HasSubstr("'statu' is not a command; did you mean 'status'?"));
  const auto nothing = refusal_of({});
  EXPECT_EQ(nothing.exit_code, kExitBadConfiguration);
  EXPECT_THAT(nothing.standard_error,
              HasSubstr("one of run, check, status, explain, replay, version"));
}

TEST(CommandLine, HelpIsNoFailure) {
  const auto help = refusal_of({"run", "--help"});
  EXPECT_EQ(help.exit_code, kExitOk);
  EXPECT_THAT(help.standard_output, AllOf(HasSubstr("--otlp-endpoint"), HasSubstr("Exit codes:")));
  const auto version = refusal_of({"--version"});
  EXPECT_EQ(version.exit_code, kExitOk);
  EXPECT_THAT(version.standard_output, ::testing::StartsWith("exemplar-agent "));
}

}  // namespace
}  // namespace exa
