#include "agent/request_pipeline/target_table.h"

#include <gtest/gtest.h>

#include "synthetic_exchanges.h"

namespace exa {
namespace {

using testing::target_of;

constexpr MonotonicTime kNow{1'000'000'000};

ProcessEvent process(std::uint32_t tgid, std::uint64_t start_time_ns, const char* exe) {
  ProcessEvent event{};
  event.process = {.tgid = tgid, .start_time_ns = start_time_ns};
  event.comm.assign("comm");
  event.exe_name.assign(exe);
  return event;
}

class Table : public ::testing::Test {
 protected:
  void close_windows(int count) {
    for (int i = 0; i < count; ++i) {
      registry.close_window();
      table.close_window(registry);
    }
  }
  Counters counters;
  SeriesRegistry registry{{.expire_after_windows = 3}, counters};
  TargetTable table{8, counters};
};

TEST_F(Table, ResolvesAnAnnouncedProcessInPlace) {
  table.on_process(process(100, 5, "nginx"));
  const auto id = table.id_of(100, kNow);
  EXPECT_EQ(table.at(id).state, TargetTable::State::kUnresolved);
  EXPECT_EQ(table.on_target(target_of(100, "shop", 5)).id, id);
  EXPECT_EQ(table.id_of(100, kNow), id);
  EXPECT_EQ(table.at(id).target->service_name, "shop");
}

TEST_F(Table, AReusedPidIsAnotherTarget) {
  const auto first = table.on_target(target_of(100, "old", 900'000'000)).id;
  table.on_process(process(100, 950'000'000, "new"));
  const auto second = table.id_of(100, kNow);
  EXPECT_NE(first, second);
  EXPECT_EQ(table.at(first).target->service_name, "old");
  EXPECT_EQ(table.on_target(target_of(100, "old", 900'000'000)).id, first)
      << "late word of the dead";
  EXPECT_EQ(table.id_of(100, kNow), second);
}

TEST_F(Table, ATargetThatComesAfterItsProvisionalOneIsANewOne) {
  table.on_process(process(100, 5, "python3"));
  const auto provisional = table.id_of(100, kNow);
  table.resolve_provisionally(provisional);
  EXPECT_EQ(table.at(provisional).target->service_name, "python3");
  const auto resolved = table.on_target(target_of(100, "shop", 5)).id;
  EXPECT_NE(resolved, provisional);
  EXPECT_EQ(table.id_of(100, kNow), resolved);
  EXPECT_EQ(table.at(provisional).target->service_name, "python3");
}

TEST_F(Table, ExecUnderTheSameIdentityIsANewTargetAndRepetitionIsNot) {
  const auto before = table.on_target(target_of(100, "sh", 5)).id;
  EXPECT_EQ(table.on_target(target_of(100, "sh", 5)).id, before);
  const auto after = table.on_target(target_of(100, "nginx", 5)).id;
  EXPECT_NE(after, before);
  EXPECT_EQ(table.id_of(100, kNow), after);
}

// The kernel announces at 2 s, the prober's word is as of then.
Target answer(std::uint32_t tgid, const char* service, std::uint64_t start, MonotonicTime as_of) {
  auto target = target_of(tgid, service, start);
  target.as_of = as_of;
  return target;
}
ProcessEvent announced(std::uint32_t tgid, std::uint64_t start, const char* exe,
                       MonotonicTime time) {
  auto event = process(tgid, start, exe);
  event.time = time;
  return event;
}
constexpr MonotonicTime kFirst{2'000'000'000};
constexpr MonotonicTime kSecond{3'000'000'000};
constexpr MonotonicTime kThird{4'000'000'000};

TEST_F(Table, AFullTableGivesNobodyTheNameOfTheDead) {
  TargetTable one(1, counters);
  one.on_target(target_of(100, "payments", 1'000'000'000));
  one.on_process(process(100, 9'000'000'000, "curl"));
  EXPECT_EQ(one.at(one.id_of(100, kNow)).target->service_name, "unknown_service");
  one.on_target(target_of(100, "curl", 9'000'000'000));
  EXPECT_EQ(one.at(one.id_of(100, kNow)).target->service_name, "unknown_service");
  EXPECT_GE(counters.get(Counter::kTargetsOverflow), 1u);
}

TEST_F(Table, NumbersOfOneTickAreToldApart) {
  table.on_process(announced(100, 1'000'000'001, "payments", kFirst));
  const auto first = table.on_target(answer(100, "payments", 1'000'000'001, kFirst)).id;
  table.on_process(announced(100, 1'000'000'002, "curl", kSecond));
  const auto second = table.id_of(100, kSecond);
  EXPECT_NE(second, first);
  EXPECT_TRUE(table.awaits_answer(second));
}

TEST_F(Table, WhatTheFirstLookFoundIsAskedAgainWhenTheKernelAnnounces) {
  const auto seen = table.on_target(answer(100, "sh", 10'000'000, kFirst)).id;
  EXPECT_FALSE(table.awaits_answer(seen));
  table.on_process(announced(100, 10'000'123, "nginx", kSecond));
  EXPECT_TRUE(table.awaits_answer(table.id_of(100, kSecond))) << "it may have executed another";
  const auto told = table.on_target(answer(100, "nginx", 10'000'123, kSecond));
  EXPECT_EQ(told.asked, seen);
  EXPECT_NE(told.id, seen);
  EXPECT_EQ(table.id_of(100, kThird), told.id);
  EXPECT_FALSE(table.awaits_answer(told.id));
}

TEST_F(Table, AnAnswerThatOvertakesTheAnnouncementIsTaken) {
  const auto id = table.on_target(answer(100, "shop", 10'000'123, kFirst)).id;
  table.on_process(announced(100, 10'000'123, "nginx", kFirst));
  EXPECT_EQ(table.id_of(100, kFirst), id);
  EXPECT_FALSE(table.awaits_answer(id));
}

TEST_F(Table, AnAnswerAboutTheProgramBeforeIsNotOneAboutThePresentOne) {
  table.on_process(announced(100, 10'000'123, "wrapper", kFirst));
  table.on_process(announced(100, 10'000'123, "nginx", kSecond));
  const auto present = table.id_of(100, kThird);
  auto excluded = answer(100, "wrapper", 10'000'123, kFirst);
  excluded.observed = false;
  const auto told = table.on_target(excluded);
  EXPECT_NE(told.id, present);
  EXPECT_EQ(table.id_of(100, kFirst), told.id) << "what began before the exec is the first one's";
  EXPECT_TRUE(table.awaits_answer(present));
  EXPECT_EQ(table.on_target(answer(100, "nginx", 10'000'123, kSecond)).id, present);
  EXPECT_TRUE(table.at(present).target->observed);
}

TEST_F(Table, OneThatIsExcludedAndObservedAgainGoesOn) {
  table.on_process(announced(100, 10'000'123, "shop", kFirst));
  const auto id = table.on_target(answer(100, "shop", 10'000'123, kFirst)).id;
  auto judged = answer(100, "shop", 10'000'123, kSecond);
  for (const bool observed : {false, true}) {
    judged.observed = observed;
    EXPECT_EQ(table.on_target(judged).id, id);
    EXPECT_EQ(table.id_of(100, kThird), id);
    EXPECT_EQ(table.at(id).target->observed, observed);
  }
  EXPECT_EQ(table.size(), 1u);
}

TEST_F(Table, ARequestCountsForWhoHadTheNumberWhenItBegan) {
  table.on_process(announced(100, 10'000'001, "first", kFirst));
  const auto first = table.on_target(answer(100, "first", 10'000'001, kFirst)).id;
  table.on_process_exit(100, {kFirst.ns + 500});
  table.on_process(announced(100, 20'000'001, "second", kSecond));
  EXPECT_EQ(table.id_of(100, {kFirst.ns + 400}), first);
  const auto second = table.id_of(100, kThird);
  EXPECT_NE(second, first);
  // The prober was late with its word about the first: it still comes to the first.
  EXPECT_EQ(table.on_target(answer(100, "first", 10'000'001, kFirst)).id, first);
  EXPECT_TRUE(table.awaits_answer(second));
}

TEST_F(Table, WhatBeganAfterItsEndIsNotTheDeads) {
  table.on_process(announced(100, 10'000'001, "first", kFirst));
  const auto dead = table.on_target(answer(100, "first", 10'000'001, kFirst)).id;
  table.on_process_exit(100, kSecond);
  EXPECT_EQ(table.id_of(100, kSecond), dead);
  const auto unknown = table.id_of(100, kThird);
  EXPECT_NE(unknown, dead);
  EXPECT_TRUE(table.awaits_answer(unknown));
}

// The prober has answered twice before the ring is read, and the number went from one to the other.
TEST_F(Table, AnEndThatIsReadLateIsNotThatOfTheNextOwner) {
  table.on_target(answer(100, "first", 10'000'001, kFirst));
  const auto second = table.on_target(answer(100, "second", kSecond.ns - 1, kSecond)).id;
  table.on_process(announced(100, 10'000'001, "first", kFirst));
  table.on_process_exit(100, {kFirst.ns + 500});
  table.on_process(announced(100, kSecond.ns - 1, "second", kSecond));
  EXPECT_EQ(table.id_of(100, kSecond), second);
  EXPECT_FALSE(table.at(second).exited);
  table.on_process_exit(100, kThird);
  EXPECT_TRUE(table.at(second).exited);
}

TEST_F(Table, TheWordAboutALaterOwnerIsNotAboutOneThatNobodyAnnounced) {
  table.on_process(announced(100, 10'000'001, "first", kFirst));
  table.on_process_exit(100, {kFirst.ns + 500});
  const auto unannounced = table.id_of(100, kSecond);
  const auto later = table.on_target(answer(100, "later", kSecond.ns + 1, kThird));
  EXPECT_EQ(later.asked, kNoTarget) << "nothing that waits is its own";
  EXPECT_NE(later.id, unannounced);
  EXPECT_EQ(table.id_of(100, kThird), later.id);
  EXPECT_EQ(table.id_of(100, kSecond), unannounced);
  EXPECT_EQ(table.on_target(answer(100, "it", kSecond.ns - 1, kThird)).asked, unannounced);
}

TEST_F(Table, WhatBeganBeforeItsBirthIsNobodys) {
  const auto id = table.on_target(answer(100, "shop", kSecond.ns, kThird)).id;
  EXPECT_EQ(table.id_of(100, kFirst), kNoTarget);
  EXPECT_EQ(table.id_of(100, kSecond), id);
}

// Start times go on while the machine sleeps, event times do not.
TEST_F(Table, BirthsAreToldByTheClockOfEvents) {
  const std::uint64_t slept_ns = 3'600'000'000'000;
  table.on_process(announced(99, slept_ns + kFirst.ns, "other", kFirst));
  EXPECT_EQ(table.born({.tgid = 100, .start_time_ns = slept_ns + kSecond.ns}), kSecond);
  EXPECT_EQ(table.born({.tgid = 100, .start_time_ns = 5}).ns, 0u);
}

TEST_F(Table, WaitingInVainNamesAChangedProgramByItsAnnouncement) {
  const auto seen = table.on_target(answer(100, "sh", 10'000'000, kFirst)).id;
  table.on_process(announced(100, 10'000'123, "nginx", kSecond));
  const auto id = table.resolve_provisionally(seen);
  EXPECT_NE(id, seen);
  EXPECT_EQ(table.at(id).target->service_name, "nginx");
  EXPECT_EQ(table.id_of(100, kThird), id);
}

TEST_F(Table, ThoseForWhomExchangesWaitKeepTheirPlaces) {
  table.on_process(announced(100, 10'000'001, "first", kFirst));
  const auto id = table.id_of(100, kFirst);
  table.note_held(id, 1);
  table.on_process_exit(100, kSecond);
  close_windows(5);
  EXPECT_TRUE(table.knows(id));
  table.note_held(id, -1);
  close_windows(1);
  EXPECT_FALSE(table.knows(id));
}

TEST_F(Table, HostileNamesBecomeValidText) {
  table.on_process(process(100, 5, "a\xff\n"));
  const auto id = table.id_of(100, kNow);
  table.resolve_provisionally(id);
  EXPECT_EQ(table.at(id).target->service_name, "a??");
}

TEST_F(Table, KeepsTheDeadWhileTheirSeriesLive) {
  const auto id = table.on_target(target_of(100, "shop", 5)).id;
  auto exchange = testing::exchange_of({});
  exchange.target = id;
  registry.record(registry.keys().duration(exchange), 1, 1'000);
  table.on_process_exit(100, kNow);

  close_windows(3);  // counted, then idle twice: the series still lives
  EXPECT_TRUE(table.knows(id));
  EXPECT_EQ(table.size(), 1u);
  close_windows(1);
  EXPECT_FALSE(table.knows(id));
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(Table, AnIdIsNotReusedForTheNextProcessInItsPlace) {
  const auto first = table.on_target(target_of(100, "shop", 5)).id;
  table.on_process_exit(100, kNow);
  close_windows(5);
  const auto second = table.on_target(target_of(101, "other", 6)).id;
  EXPECT_NE(first, second);
  EXPECT_FALSE(table.knows(first));
  EXPECT_TRUE(table.knows(second));
}

TEST_F(Table, IsBoundedAndTheRestHasNoName) {
  for (std::uint32_t tgid = 1; tgid <= 8; ++tgid)
    table.on_target(target_of(tgid, "s"));
  EXPECT_EQ(table.on_target(target_of(9, "s")).id, kNoTarget);
  EXPECT_EQ(table.id_of(10, kNow), kNoTarget);
  EXPECT_EQ(table.at(kNoTarget).target->service_name, "unknown_service");
  EXPECT_EQ(counters.get(Counter::kTargetsOverflow), 2u);
}

}  // namespace
}  // namespace exa
