// What each of the two processes hears of the other, and what ends that. The fuzz target `channel`
// says the rest.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <filesystem>

#include "agent/capture/target_message.h"
#include "agent/config/policy_text.h"
#include "agent/privilege/descriptor_passing.h"
#include "agent/run/messages/look_message.h"
#include "agent/run/messages/pipeline_line.h"
#include "agent/run/messages/policies_message.h"
#include "agent/run/messages/prober_line.h"

namespace exa {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Word = PipelineLine::Word;

ChannelMessage of(ChannelMessageType type, std::uint64_t value = 0) {
  return {.type = type, .value = value};
}
std::span<const std::byte> bytes_of(const ChannelMessage& message) {
  return std::as_bytes(std::span(&message, 1));
}
ChannelMessage target_message(std::uint64_t document = 0) {
  Target target{.process = {.tgid = 7, .start_time_ns = 1}, .service_name = "shop"};
  target.resource = std::make_shared<Resource>();
  auto message = of(ChannelMessageType::kTarget, document);
  message.payload = encode_target(target);
  return message;
}
auto open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

struct Pair {
  Pair() : pair(*Channel::make_pair()), stranger(pair.second) {}
  void send(const ChannelMessage& message) {
    EXPECT_EQ(stranger.send(message), ChannelOutcome::kDone);
  }
  std::pair<Channel, Channel> pair;
  Channel& stranger;
};

struct TakenOver : Pair, testing::Test {
  PipelineLine line{std::move(pair.first)};
};

TEST_F(TakenOver, ThePipelineSaysThatItIsReadyAndNothingElse) {
  ASSERT_TRUE(line.say(of(ChannelMessageType::kTargetsComplete)));
  EXPECT_EQ(line.hear(), Word::kNothing);
  send(of(ChannelMessageType::kReady, 9464));
  EXPECT_EQ(line.hear(), Word::kReady);
  EXPECT_EQ(line.endpoint_port(), 9464);
  EXPECT_FALSE(line.over());
  send(of(ChannelMessageType::kReady, 9464));
  EXPECT_EQ(line.hear(), Word::kNothing);
  EXPECT_TRUE(line.over());
  EXPECT_THAT(line.violation(), HasSubstr("twice"));
  EXPECT_FALSE(line.say(of(ChannelMessageType::kLogThreshold)));
}

TEST_F(TakenOver, ThePipelineAsksForLooksOnceItIsReady) {
  ASSERT_TRUE(line.say(of(ChannelMessageType::kTargetsComplete)));
  send(of(ChannelMessageType::kReady));
  EXPECT_EQ(line.hear(), Word::kReady);
  ChannelMessage look;
  write_look(std::array<std::uint32_t, 2>{7, 8}, look);
  send(look);
  EXPECT_EQ(line.hear(), Word::kLook);
  EXPECT_EQ(line.look_list()[0], 7u);
  EXPECT_EQ(line.look_list()[1], 8u);
  EXPECT_EQ(line.look_list()[2], 0u);
  EXPECT_FALSE(line.over());
}

TEST_F(TakenOver, NotBefore) {
  ChannelMessage look;
  write_look({}, look);
  send(look);
  EXPECT_EQ(line.hear(), Word::kNothing);
  EXPECT_THAT(line.violation(), HasSubstr("before it was ready"));
}

TEST_F(TakenOver, NotBeforeItWasToldAll) {
  send(of(ChannelMessageType::kReady, 9464));
  EXPECT_EQ(line.hear(), Word::kNothing);
  EXPECT_THAT(line.violation(), HasSubstr("before it could be"));
}

TEST_F(TakenOver, WhatTheProberSaysIsNotForThePipelineToSay) {
  ASSERT_TRUE(line.say(of(ChannelMessageType::kTargetsComplete)));
  send(target_message());
  EXPECT_EQ(line.hear(), Word::kNothing);
  EXPECT_THAT(line.violation(), HasSubstr("only the prober"));
}

// A read of no bytes is what a closed channel gives too.
TEST_F(TakenOver, AnEmptyMessageIsNoEnd) {
  ASSERT_EQ(::send(stranger.fd(), nullptr, 0, 0), 0);
  EXPECT_EQ(line.hear(), Word::kNothing);
  EXPECT_TRUE(line.over());
  EXPECT_THAT(line.violation(), HasSubstr("a malformed message"));
}

TEST_F(TakenOver, ADescriptorIsNotTaken) {
  ASSERT_TRUE(line.say(of(ChannelMessageType::kTargetsComplete)));
  const auto before = open_descriptors();
  const auto ready = of(ChannelMessageType::kReady);
  ASSERT_TRUE(send_with_descriptors(stranger.fd(), bytes_of(ready), std::array{0}));
  EXPECT_EQ(line.hear(), Word::kNothing);
  EXPECT_THAT(line.violation(), HasSubstr("a malformed message"));
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(TakenOver, WhoeverHangsUpIsNotWaitedFor) {
  stranger = Channel();
  EXPECT_EQ(line.hear(), Word::kNothing);
  EXPECT_TRUE(line.over());
  EXPECT_THAT(line.violation(), IsEmpty());
}

TEST_F(TakenOver, WhoeverListensNoMoreHasHungUp) {
  ::shutdown(stranger.fd(), SHUT_RD);
  EXPECT_FALSE(line.say(of(ChannelMessageType::kLogThreshold)));
  EXPECT_TRUE(line.over());
}

TEST_F(TakenOver, WhoeverReadsNothingCostsABoundedAmount) {
  std::size_t taken = 0;
  while (line.say(of(ChannelMessageType::kLogThreshold)))
    ASSERT_LT(++taken, 2 * Outbox::kMost);
  EXPECT_EQ(line.waiting().size(), Outbox::kMost);
  EXPECT_FALSE(line.over());
}

struct Broken : Pair, testing::Test {
  void expect_violation(const std::string& text) {
    EXPECT_FALSE(line.hear());
    EXPECT_TRUE(line.over());
    EXPECT_THAT(line.violation(), HasSubstr(text));
  }
  ProberLine line{std::move(pair.first)};
};

TEST_F(Broken, TargetsComeWithTheFileThatNamesThem) {
  const auto message = target_message(static_cast<std::uint64_t>(EngineDocument::kOciBundle));
  ASSERT_TRUE(send_with_descriptors(stranger.fd(), bytes_of(message), std::array{0}));
  auto word = line.hear();
  ASSERT_TRUE(word && std::holds_alternative<ToldTarget>(*word));
  const auto& told = std::get<ToldTarget>(*word);
  EXPECT_EQ(told.target.service_name, "shop");
  EXPECT_EQ(told.document, EngineDocument::kOciBundle);
  EXPECT_TRUE(told.engine_file.valid());
}

TEST_F(Broken, OfTwoDescriptorsNoneStaysBehind) {
  const auto before = open_descriptors();
  const auto message = target_message(1);
  ASSERT_TRUE(send_with_descriptors(stranger.fd(), bytes_of(message), std::array{0, 0}));
  expect_violation("a malformed message");
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Broken, OnlyTargetsHaveFiles) {
  const auto before = open_descriptors();
  const auto message = of(ChannelMessageType::kLogThreshold);
  ASSERT_TRUE(send_with_descriptors(stranger.fd(), bytes_of(message), std::array{0}));
  expect_violation("a descriptor without a target");
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Broken, ATargetOfAnotherVersionIsAnEndAndNoLoss) {
  auto message = target_message();
  message.payload[0] = std::byte{3};
  send(message);
  expect_violation("version");
}

TEST_F(Broken, TheTargetsAreCompleteOnce) {
  send(of(ChannelMessageType::kTargetsComplete, static_cast<std::uint64_t>(TlsState::kReading)));
  ASSERT_TRUE(line.hear());
  send(of(ChannelMessageType::kTargetsComplete));
  expect_violation("twice");
}

TEST_F(Broken, HeartbeatsAreForWhoIsReady) {
  ChannelMessage beat;
  write_heartbeat({.probes_placed = true, .totals = {5}}, beat);
  send(of(ChannelMessageType::kTargetsComplete));
  ASSERT_TRUE(line.hear());
  line.say_ready(9464);
  send(beat);
  const auto word = line.hear();
  ASSERT_TRUE(word && std::holds_alternative<Heartbeat>(*word));
  EXPECT_EQ(std::get<Heartbeat>(*word).totals[0], 5u);
}

TEST_F(Broken, AHeartbeatBeforeThatIsNone) {
  ChannelMessage beat;
  write_heartbeat({}, beat);
  send(beat);
  expect_violation("before the pipeline was ready");
}

TEST_F(Broken, NothingIsHeardAfterTheEnd) {
  send(of(ChannelMessageType::kShutdown, 77));
  send(of(ChannelMessageType::kLogThreshold));
  const auto word = line.hear();
  ASSERT_TRUE(word && std::holds_alternative<ToldShutdown>(*word));
  EXPECT_EQ(std::get<ToldShutdown>(*word).deadline.ns, 77u);
  EXPECT_FALSE(line.hear());
  EXPECT_THAT(line.violation(), IsEmpty());
}

TEST_F(Broken, PoliciesThatNobodyCanHaveConfiguredEndTheLine) {
  PolicySettings policies;
  policies.policy = *parse_policy("any_of(outlier(1s), probability(1%))");
  policies.rules.push_back(*parse_policy_rule("route=/api/ -> always"));
  ChannelMessage message;
  write_policies(policies, message);
  send(message);
  const auto word = line.hear();
  ASSERT_TRUE(word && std::holds_alternative<PolicySettings>(*word));
  EXPECT_EQ(std::get<PolicySettings>(*word), policies);
  message.payload[0] = std::byte{'x'};
  send(message);
  expect_violation("policies that no configuration can contain");
}

TEST_F(Broken, ValuesBeyondTheirListsAreNone) {
  send(of(ChannelMessageType::kLogThreshold, 5));
  expect_violation("log level");
}

}  // namespace
}  // namespace exa
