// The facts of a call in the records that tell of it.
#include <gtest/gtest.h>

#include "agent/capture/event_decoder.h"
#include "exa/abi/event.h"
#include "tests/unit/capture/raw_events.h"

namespace exa {
namespace {

using testing::bytes_of;
using testing::error_of;
using testing::raw_chunk;
using testing::raw_event;

exa_call_facts raw_facts() {
  return {.thread = {.cpu_wait_ns = 1,
                     .on_cpu_ns = 2,
                     .exec_start_ns = 3,
                     .throttled_ns = 4,
                     .throttled = 5,
                     .thread = 6,
                     .voluntary_switches = 7,
                     .minor_faults = 8,
                     .major_faults = 9,
                     .known = EXA_FACTS_THREAD | EXA_FACTS_CPU_WAIT | EXA_FACTS_SOCKET |
                              EXA_FACTS_MAY_SLEEP,
                     .group = 14},
          .socket = {
              .retransmits = 10, .out_of_order = 11, .receiver_limited_ms = 12, .connect_us = 13}};
}

TEST(CallFacts, AChunkHasTheFactsOfItsCall) {
  auto raw = raw_chunk("x");
  EXPECT_FALSE(std::get<ChunkEvent>(*decode_event(bytes_of(raw, "x"))).call.time.known());
  raw.facts = raw_facts();
  raw.header.cpu = 3;
  const auto record = bytes_of(raw, "x");
  const auto call = std::get<ChunkEvent>(*decode_event(record)).call;
  EXPECT_EQ(call.time.ns, 5'000u);
  EXPECT_EQ(call.cpu_wait.count(), 1);
  EXPECT_EQ(call.on_cpu.count(), 2);
  EXPECT_EQ(call.exec_start_ns, 3u);
  EXPECT_EQ(call.throttled.count(), 4);
  EXPECT_EQ(call.cpu, 3u);
  EXPECT_EQ(call.throttled_times, 5u);
  EXPECT_EQ(call.thread, 6u);
  EXPECT_EQ(call.group, 14u);
  EXPECT_EQ(call.voluntary_switches, 7u);
  EXPECT_EQ(call.minor_faults, 8u);
  EXPECT_EQ(call.major_faults, 9u);
  EXPECT_EQ(call.retransmits, 10u);
  EXPECT_EQ(call.out_of_order, 11u);
  EXPECT_EQ(call.receiver_limited_ms, 12u);
  EXPECT_EQ(call.connect_us, 13u);
  EXPECT_TRUE(call.cpu_wait_known && call.socket_known);
  EXPECT_FALSE(call.throttle_known);
  EXPECT_TRUE(call.waits_itself);
  raw.facts.thread.known |= EXA_FACTS_POLLED;
  const auto polled = bytes_of(raw, "x");
  EXPECT_FALSE(std::get<ChunkEvent>(*decode_event(polled)).call.waits_itself);
}

TEST(CallFacts, TotalsOfABrokenRecordStayDurations) {
  auto raw = raw_chunk("x");
  raw.facts = raw_facts();
  raw.facts.thread.cpu_wait_ns = raw.facts.thread.on_cpu_ns = ~0ull;
  const auto call = std::get<ChunkEvent>(*decode_event(bytes_of(raw, "x"))).call;
  EXPECT_GT(call.cpu_wait.count(), 0);
  EXPECT_GT(call.on_cpu.count(), 0);
}

TEST(CallFacts, LastCall) {
  auto raw = raw_event<exa_last_call_event>(EXA_EVENT_LAST_CALL);
  raw.last_byte_ns = 4'000;
  raw.direction = EXA_EGRESS;
  raw.cpu = 1;
  raw.facts = raw_facts();
  const auto event = decode_event(bytes_of(raw));
  ASSERT_TRUE(event);
  const auto& last = std::get<LastCallEvent>(*event);
  EXPECT_EQ(last.socket, 77u);
  EXPECT_EQ(last.direction, Direction::kEgress);
  EXPECT_EQ(last.call.time.ns, 4'000u);
  EXPECT_EQ(last.call.cpu, 1u);
  EXPECT_EQ(last.call.thread, 6u);
  raw.direction = 2;
  EXPECT_EQ(error_of(bytes_of(raw)), DecodeError::kBadField);
}

TEST(CallFacts, Sleeps) {
  auto raw = raw_event<exa_sleeps_event>(EXA_EVENT_SLEEPS);
  raw.thread = 42;
  raw.from_ns = 7;
  raw.header.ktime_ns = 9;
  for (std::uint32_t i = 0; i < EXA_SLEEP_CAUSES; ++i)
    raw.asleep_us[i] = 10 * i;
  const auto event = decode_event(bytes_of(raw));
  ASSERT_TRUE(event);
  const auto& sleeps = std::get<SleepsEvent>(*event);
  EXPECT_EQ(sleeps.thread, 42u);
  EXPECT_EQ(sleeps.from.ns, 7u);
  EXPECT_EQ(sleeps.time.ns, 9u);
  const auto told = [&](SleepCause cause) {
    return sleeps.asleep_us[static_cast<std::size_t>(cause)];
  };
  EXPECT_EQ(told(SleepCause::kLock), 0u);
  EXPECT_EQ(told(SleepCause::kDisk), 10u * (EXA_DOING_DISK - EXA_DOING_LOCK));
  EXPECT_EQ(told(SleepCause::kStopped), 10u * (EXA_DOING_STOP - EXA_DOING_LOCK));
  raw.from_ns = 10;
  EXPECT_EQ(error_of(bytes_of(raw)), DecodeError::kBadField) << "from after until";
  raw.from_ns = 7;
  raw.thread = 0;
  EXPECT_EQ(error_of(bytes_of(raw)), DecodeError::kBadField);
}

TEST(CallFacts, Look) {
  auto raw = raw_event<exa_look_event>(EXA_EVENT_LOOK);
  raw.thread = 42;
  raw.doing = EXA_DOING_DISK;
  const auto event = decode_event(bytes_of(raw));
  ASSERT_TRUE(event);
  const auto& look = std::get<LookEvent>(*event);
  EXPECT_EQ(look.thread, 42u);
  EXPECT_EQ(look.doing, ThreadDoing::kDisk);
  raw.doing = EXA_DOINGS;
  EXPECT_EQ(error_of(bytes_of(raw)), DecodeError::kBadField);
}

}  // namespace
}  // namespace exa
