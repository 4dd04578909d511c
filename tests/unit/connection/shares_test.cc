// Nobody costs others their connections, their requests or their heads: a process with too many
// loses its own, and so does whoever makes many processes.
#include <gtest/gtest.h>

#include <map>

#include "agent/connection/tracker.h"
#include "agent/conversation/registry.h"
#include "tracker_fixture.h"

namespace exa::testing {
namespace {

constexpr std::uint32_t kNoisy = 66;
constexpr std::uint32_t kQuiet = 42;

struct Origins final : ProcessOrigins {
  ProcessOrigin origin_of(std::uint32_t tgid) const override {
    const auto known = of.find(tgid);
    return known == of.end() ? ProcessOrigin{.parent_tgid = 1, .cgroup_id = 1} : known->second;
  }
  std::map<std::uint32_t, ProcessOrigin> of;
};

class TenantShares : public TrackerFixture {
 protected:
  // Opens connections of the process and leaves a request of each unanswered.
  void flood(ConnectionTracker& to, std::uint32_t process, SocketId first, SocketId count) {
    for (auto socket = first; socket < first + count; ++socket)
      Wire(to, socket, process).reads(kGet);
  }
  // How many of the wires, each with an open request, get their exchange.
  std::size_t answered(std::vector<Wire>& wires) {
    const auto before = sink.exchanges.size();
    for (auto& one : wires)
      one.writes(kOk);
    return sink.exchanges.size() - before;
  }
  std::vector<Wire> asked(ConnectionTracker& of, std::uint32_t process, SocketId first,
                          SocketId count) {
    std::vector<Wire> wires;
    for (auto socket = first; socket < first + count; ++socket) {
      wires.emplace_back(of, socket, process);
      wires.back().socket();
      wires.back().reads(kGet);
    }
    return wires;
  }
  Origins origins;
};

TEST_F(TenantShares, AProcessWithTooManyConnectionsLosesItsOwn) {
  ConnectionTracker small(sink, counters, protocols(), {.connections = 64}, &origins);
  auto quiet = asked(small, kQuiet, 1, 10);
  flood(small, kNoisy, 1'000, 500);
  EXPECT_EQ(small.size(), 64u);
  EXPECT_EQ(count(Counter::kConnectionsOverShare), 446u);
  const auto losers = small.losers();
  ASSERT_EQ(losers.size(), 1u);
  EXPECT_EQ(losers[0]->key, kNoisy);
  EXPECT_EQ(losers[0]->lost[0], 446u);
  EXPECT_EQ(answered(quiet), 10u);
}

TEST_F(TenantShares, OfItsOwnItLosesTheIdle) {
  ConnectionTracker small(sink, counters, protocols(), {.connections = 8}, &origins);
  Wire busy(small, 1, kNoisy);
  busy.reads(kGet);
  busy.writes(kOk);
  for (SocketId socket = 100; socket < 150; ++socket) {
    Wire(small, socket, kNoisy).reads(kGet);
    while (busy.now() < ms(1'000 + 2 * (socket - 90)))
      busy.tick();
    busy.reads(kGet);
    busy.writes(kOk);
  }
  EXPECT_EQ(sink.exchanges.size(), 51u);
}

TEST_F(TenantShares, ANewProcessFindsRoomInAFullTable) {
  ConnectionTracker small(sink, counters, protocols(), {.connections = 64}, &origins);
  flood(small, kNoisy, 1'000, 64);
  auto quiet = asked(small, kQuiet, 1, 20);
  EXPECT_EQ(answered(quiet), 20u);
  EXPECT_EQ(small.losers().at(0)->key, kNoisy);
}

TEST_F(TenantShares, ManyProcessesOfOneParentCountTogether) {
  ConnectionTracker small(sink, counters, protocols(), {.connections = 64}, &origins);
  auto quiet = asked(small, kQuiet, 1, 20);
  for (std::uint32_t child = 100; child < 200; ++child) {
    origins.of[child] = {.parent_tgid = kNoisy, .cgroup_id = 1};
    flood(small, child, child * 10, 3);
  }
  EXPECT_EQ(answered(quiet), 20u);
}

TEST_F(TenantShares, ManyParentsOfOneCgroupCountTogether) {
  ConnectionTracker small(sink, counters, protocols(), {.connections = 64}, &origins);
  auto quiet = asked(small, kQuiet, 1, 20);
  for (std::uint32_t child = 100; child < 200; ++child) {
    origins.of[child] = {.parent_tgid = 1'000 + child, .cgroup_id = 2};
    flood(small, child, child * 10, 3);
  }
  EXPECT_EQ(answered(quiet), 20u);
}

TEST_F(TenantShares, MoreProcessesThanPlacesAreBounded) {
  ConnectionTracker small(sink, counters, protocols(), {.connections = 64}, &origins);
  for (std::uint32_t process = 100; process < 300; ++process)
    flood(small, process, process, 1);
  EXPECT_EQ(small.size(), 64u);
}

TEST_F(TenantShares, UnansweredRequestsLeaveRoomForOthers) {
  ConnectionTracker small(sink, counters, protocols(), {.requests = {.unanswered = 128}}, &origins);
  flood(small, kNoisy, 1'000, 500);
  EXPECT_EQ(small.open_exchanges().size(), 64u);
  EXPECT_EQ(count(ProtocolCounter::kRequestsOverShare), 436u);
  auto quiet = asked(small, kQuiet, 1, 10);
  EXPECT_EQ(answered(quiet), 10u);
  for (SocketId socket = 1'000; socket < 1'500; ++socket)
    Wire(small, socket, kNoisy).is_over();
  EXPECT_EQ(small.open_exchanges().size(), 0u);
  EXPECT_EQ(small.size(), 10u);
}

TEST_F(TenantShares, HeadsThatNeverEndLeaveRoomForOthers) {
  ConnectionTracker small(sink, counters, protocols(), {.incomplete_heads = 64}, &origins);
  for (SocketId socket = 1'000; socket < 1'500; ++socket)
    Wire(small, socket, kNoisy).reads("GET /slow HT");
  EXPECT_EQ(count(Counter::kHeadBlocksOverShare), 468u);
  EXPECT_EQ(count(Counter::kHeadBlocksExhausted), 0u);
  for (SocketId socket = 1; socket <= 10; ++socket) {
    Wire quiet(small, socket, kQuiet);
    quiet.reads("GET /cut HT");
    quiet.reads("TP/1.1\r\n\r\n");
    quiet.writes(kOk);
  }
  EXPECT_EQ(sink.exchanges.size(), 10u);
}

// Whoever holds nothing any more is forgotten, and comes back with a share like anybody's.
TEST_F(TenantShares, AreForgottenWithTheirConnections) {
  ConnectionTracker small(sink, counters, protocols(), {.connections = 64}, &origins);
  flood(small, kNoisy, 1'000, 100);
  ASSERT_EQ(small.losers().size(), 1u);
  for (SocketId socket = 1'000; socket < 1'100; ++socket)
    Wire(small, socket, kNoisy).is_over();
  EXPECT_EQ(small.size(), 0u);
  small.sweep(ms(2'000));
  EXPECT_TRUE(small.losers().empty());
  flood(small, kNoisy, 2'000, 64);
  EXPECT_EQ(small.size(), 64u);
}

}  // namespace
}  // namespace exa::testing
