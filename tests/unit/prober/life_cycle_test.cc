#include "agent/run/prober/life_cycle.h"

#include <gmock/gmock.h>

#include <csignal>

#include "agent/model/exit_codes.h"

namespace exa {
namespace {

using ::testing::HasSubstr;
using OnSignal = LifeCycle::OnSignal;
using OnTimer = LifeCycle::OnTimer;

// As waitpid(2) has it.
constexpr int ended_with(int code) {
  return code << 8;
}
constexpr int ended_by(int signal) {
  return signal;
}

LifeCycle serving() {
  LifeCycle life;
  life.on_ready();
  return life;
}
LifeCycle ending() {
  auto life = serving();
  life.on_signal(SIGTERM);
  return life;
}

TEST(LifeCycle, ServesOnceThePipelineIsReady) {
  LifeCycle life;
  EXPECT_EQ(life.on_timer(), OnTimer::kNothing);
  EXPECT_TRUE(life.on_ready());
  EXPECT_FALSE(life.on_ready());
  EXPECT_EQ(life.on_timer(), OnTimer::kSweep);
}

TEST(LifeCycle, ASignalEndsInOrderASecondOneAtOnce) {
  for (const int signal : {SIGTERM, SIGINT}) {
    auto life = serving();
    EXPECT_EQ(life.on_signal(signal), OnSignal::kEnd);
    EXPECT_TRUE(life.is_ending());
    EXPECT_EQ(life.on_signal(SIGINT), OnSignal::kEndAtOnce);
  }
}

TEST(LifeCycle, EndsInOrderBeforeThePipelineIsReadyToo) {
  LifeCycle life;
  EXPECT_EQ(life.on_signal(SIGTERM), OnSignal::kEnd);
  EXPECT_FALSE(life.on_ready()) << "it is not served any more";
  EXPECT_TRUE(life.is_ending());
}

TEST(LifeCycle, ReadsItsConfigurationAnewUntilItEnds) {
  LifeCycle life;
  EXPECT_EQ(life.on_signal(SIGHUP), OnSignal::kReload);
  life.on_ready();
  EXPECT_EQ(life.on_signal(SIGHUP), OnSignal::kReload);
  EXPECT_FALSE(life.is_ending());
  life.on_signal(SIGTERM);
  EXPECT_EQ(life.on_signal(SIGHUP), OnSignal::kNothing);
}

TEST(LifeCycle, GivesUpAPipelineThatDoesNotEndInTime) {
  EXPECT_EQ(ending().on_timer(), OnTimer::kGiveUp);
}

TEST(LifeCycle, OnlyWhileEndingMayThePipelineHangUp) {
  EXPECT_FALSE(LifeCycle().on_silence(""));
  EXPECT_FALSE(serving().on_silence(""));
  EXPECT_TRUE(ending().on_silence(""));
  const auto taken_over = ending().on_silence("a message only the prober may send");
  ASSERT_FALSE(taken_over) << "out of turn it may speak at no time";
  EXPECT_THAT(taken_over.error().text, HasSubstr("sent a message only the prober may send"));
}

TEST(LifeCycle, IsASuccessOnlyWhereThePipelineEndedInOrderAndWasTold) {
  EXPECT_EQ(ending().on_pipeline_end(ended_with(kExitOk)).exit_code, kExitOk);
  EXPECT_EQ(ending().on_pipeline_end(ended_with(kExitOk)).complaint, "");
  EXPECT_EQ(serving().on_pipeline_end(ended_with(kExitOk)).exit_code, kExitFailure);
  EXPECT_EQ(ending().on_pipeline_end(ended_with(kExitFailure)).exit_code, kExitFailure);
  EXPECT_EQ(ending().on_pipeline_end(ended_by(SIGKILL)).exit_code, kExitFailure);
}

TEST(LifeCycle, SaysHowThePipelineEndedUnlessThatWasSaid) {
  EXPECT_THAT(serving().on_pipeline_end(ended_by(SIGSEGV)).complaint, HasSubstr("by signal 11"));
  EXPECT_THAT(LifeCycle().on_pipeline_end(ended_by(SIGSYS)).complaint, HasSubstr("by signal 31"));
  EXPECT_THAT(serving().on_pipeline_end(ended_with(1)).complaint, HasSubstr("with code 1"));
  EXPECT_EQ(serving().on_pipeline_end(ended_with(kExitOutputFailed)).complaint, "");
  EXPECT_EQ(LifeCycle().on_pipeline_end(ended_with(1)).complaint, "")
      << "it could not start, and has said why";
}

}  // namespace
}  // namespace exa
