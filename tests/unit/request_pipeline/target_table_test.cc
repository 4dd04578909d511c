#include "agent/request_pipeline/target_table.h"

#include <gtest/gtest.h>

#include "synthetic_exchanges.h"

namespace exa {
namespace {

using testing::target_of;

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
  const auto id = table.id_of(100);
  EXPECT_EQ(table.at(id).state, TargetTable::State::kUnresolved);
  EXPECT_EQ(table.on_target(target_of(100, "shop", 5)), id);
  EXPECT_EQ(table.id_of(100), id);
  EXPECT_EQ(table.at(id).target->service_name, "shop");
}

TEST_F(Table, AReusedPidIsAnotherTarget) {
  const auto first = table.on_target(target_of(100, "old", 1'000'000'000));
  table.on_process(process(100, 1'050'000'000, "new"));
  const auto second = table.id_of(100);
  EXPECT_NE(first, second);
  EXPECT_EQ(table.at(first).target->service_name, "old");
  EXPECT_EQ(table.on_target(target_of(100, "old", 1'000'000'000)), kNoTarget)
      << "late word of the dead";
  EXPECT_EQ(table.id_of(100), second);
}

TEST_F(Table, ATargetThatComesAfterItsProvisionalOneIsANewOne) {
  table.on_process(process(100, 5, "python3"));
  const auto provisional = table.id_of(100);
  table.resolve_provisionally(provisional);
  EXPECT_EQ(table.at(provisional).target->service_name, "python3");
  const auto resolved = table.on_target(target_of(100, "shop", 5));
  EXPECT_NE(resolved, provisional);
  EXPECT_EQ(table.id_of(100), resolved);
  EXPECT_EQ(table.at(provisional).target->service_name, "python3");
}

TEST_F(Table, ExecUnderTheSameIdentityIsANewTargetAndRepetitionIsNot) {
  const auto before = table.on_target(target_of(100, "sh", 5));
  EXPECT_EQ(table.on_target(target_of(100, "sh", 5)), before);
  const auto after = table.on_target(target_of(100, "nginx", 5));
  EXPECT_NE(after, before);
  EXPECT_EQ(table.id_of(100), after);
}

TEST_F(Table, HostileNamesBecomeValidText) {
  table.on_process(process(100, 5, "a\xff\n"));
  const auto id = table.id_of(100);
  table.resolve_provisionally(id);
  EXPECT_EQ(table.at(id).target->service_name, "a??");
}

TEST_F(Table, KeepsTheDeadWhileTheirSeriesLive) {
  const auto id = table.on_target(target_of(100, "shop", 5));
  auto exchange = testing::exchange_of({});
  exchange.target = id;
  registry.record(duration_key(exchange), 1, 1'000);
  table.on_process_exit(100);

  close_windows(3);  // counted, then idle twice: the series still lives
  EXPECT_TRUE(table.knows(id));
  EXPECT_EQ(table.size(), 1u);
  close_windows(1);
  EXPECT_FALSE(table.knows(id));
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(Table, AnIdIsNotReusedForTheNextProcessInItsPlace) {
  const auto first = table.on_target(target_of(100, "shop", 5));
  table.on_process_exit(100);
  close_windows(5);
  const auto second = table.on_target(target_of(101, "other", 6));
  EXPECT_NE(first, second);
  EXPECT_FALSE(table.knows(first));
  EXPECT_TRUE(table.knows(second));
}

TEST_F(Table, IsBoundedAndTheRestHasNoName) {
  for (std::uint32_t tgid = 1; tgid <= 8; ++tgid)
    table.on_target(target_of(tgid, "s"));
  EXPECT_EQ(table.on_target(target_of(9, "s")), kNoTarget);
  EXPECT_EQ(table.id_of(10), kNoTarget);
  EXPECT_EQ(table.at(kNoTarget).target->service_name, "unknown_service");
  EXPECT_EQ(counters.get(Counter::kTargetsOverflow), 2u);
}

}  // namespace
}  // namespace exa
