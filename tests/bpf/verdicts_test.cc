// Whom the prober's verdicts hit: the program that was looked at, and nobody after it.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "tests/bpf/capture_fixture.h"

namespace exa::test {
namespace {

using kernel::Verdict;
using testing::SizeIs;

class Verdicts : public Capture {
 protected:
  std::size_t told(const std::vector<std::string>& ring, std::uint32_t tgid) {
    drain();
    return static_cast<std::size_t>(std::ranges::count_if(ring, [&](const std::string& record) {
      const auto header = load<exa_event_header>(record);
      return header.type == EXA_EVENT_PROCESS && header.tgid == tgid;
    }));
  }
  std::size_t chunk_count(std::uint64_t cookie) {
    return records<exa_chunk_event>(EXA_EVENT_CHUNK, cookie).size();
  }
  bool enter(std::uint32_t tgid, Verdict verdict) {
    const auto opened = programs_->open_verdict(tgid);
    EXPECT_TRUE(opened.has_value() && opened->has_value());
    const auto entered = (*opened)->enter(verdict);
    programs_->put_verdicts_in_force();
    return entered.value_or(false);
  }
};

TEST_F(Verdicts, HoldFromTheNextByteOn) {
  Connection connection;
  const auto self = static_cast<std::uint32_t>(::getpid());
  send_all(connection.client.get(), kRequest);
  ASSERT_TRUE(enter(self, Verdict::kExcluded));
  send_all(connection.client.get(), kRequest);
  EXPECT_THAT(chunks(connection.client_cookie), SizeIs(1));
  EXPECT_GE(count(EXA_COUNTER_FILTERED_PROCESS), 1u);
  ASSERT_TRUE(enter(self, Verdict::kObserved));
  send_all(connection.client.get(), kRequest);

  const auto seen = chunks(connection.client_cookie);
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(seen[1].event.position, 2 * kRequest.size()) << "positions go on meanwhile";
}

TEST_F(Verdicts, OfAProcessThatDidNothingYetHoldAtItsFirstBytes) {
  Connection connection;
  Child child({[&] { send_all(connection.client.get(), kRequest); }});
  ASSERT_TRUE(enter(child.tgid(), Verdict::kExcluded));
  child.step();
  EXPECT_EQ(chunk_count(connection.client_cookie), 0u);
  EXPECT_EQ(told(records_, child.tgid()), 0u);
}

TEST_F(Verdicts, AboutTheProgramBeforeAnExecComeToNobody) {
  Connection connection;
  int hold[2];
  ASSERT_EQ(::pipe2(hold, O_CLOEXEC), 0);
  const UniqueFd held(hold[0]);
  UniqueFd holding(hold[1]);
  Child child({[&] { send_all(connection.client.get(), kRequest); },
               [&] {
                 ::dup2(hold[0], 0);
                 ::dup2(connection.client.get(), 1);
                 ::execl("/bin/sh", "sh", "-c", "echo GET / HTTP/1.1; read word", nullptr);
               }});
  child.step();
  const auto opened = programs_->open_verdict(child.tgid());
  ASSERT_TRUE(opened.has_value() && opened->has_value());
  child.step();
  EXPECT_TRUE(eventually([&] { return chunk_count(connection.client_cookie) == 2; }));

  EXPECT_FALSE((*opened)->enter(Verdict::kExcluded).value());
  EXPECT_EQ(told(control_records_, child.tgid()), 2u) << "the new program asks for its own";
  holding.reset();
}

TEST_F(Verdicts, EndWithTheProgramTheyAreAbout) {
  Connection connection;
  Child child({[&] {
    ::dup2(connection.client.get(), 1);
    ::execl("/bin/echo", "echo", "GET /after HTTP/1.1", nullptr);
  }});
  ASSERT_TRUE(enter(child.tgid(), Verdict::kExcluded));
  child.step();
  child.end();
  EXPECT_EQ(chunk_count(connection.client_cookie), 1u);
}

TEST_F(Verdicts, ForGoodHoldThroughAnExec) {
  Connection connection;
  Child child({[&] {
    ::dup2(connection.client.get(), 1);
    ::execl("/bin/echo", "echo", "GET /after HTTP/1.1", nullptr);
  }});
  ASSERT_TRUE(programs_->exclude_for_good(child.tgid()).has_value());
  child.step();
  child.end();
  EXPECT_EQ(chunk_count(connection.client_cookie), 0u);
}

TEST_F(Verdicts, AboutTheDeadComeToNobody) {
  Child child({});
  const auto opened = programs_->open_verdict(child.tgid());
  ASSERT_TRUE(opened.has_value() && opened->has_value());
  const auto number = child.pid();
  child.end();
  Connection connection;
  Child next({[&] { send_all(connection.client.get(), kRequest); }}, number);
  ASSERT_EQ(next.pid(), number);

  EXPECT_FALSE((*opened)->enter(Verdict::kExcluded).value());
  programs_->put_verdicts_in_force();
  next.step();
  EXPECT_EQ(chunk_count(connection.client_cookie), 1u);
  const auto gone = number;
  next.end();
  EXPECT_FALSE(programs_->open_verdict(static_cast<std::uint32_t>(gone)).value().has_value());
}

// The socket outlives its user, and the next one has the same number.
TEST_F(Verdicts, DoNotFallToTheNextOwnerOfANumber) {
  Connection connection;
  const auto write = [&] { send_all(connection.client.get(), kRequest); };
  pid_t number = 0;
  {
    Child first({write, write});
    number = first.pid();
    first.step();
    ASSERT_TRUE(enter(first.tgid(), Verdict::kExcluded));
    first.step();
    ASSERT_EQ(chunk_count(connection.client_cookie), 1u);
  }
  Child second({write}, number);
  ASSERT_EQ(second.pid(), number);
  second.step();
  EXPECT_EQ(chunk_count(connection.client_cookie), 2u);
  EXPECT_EQ(told(records_, second.tgid()), 2u) << "the first and the second";
}

TEST_F(Verdicts, OfManyThatAreGoneTakeNobodysPlace) {
  Connection connection;
  start({.included_ports = {connection.server_port}});  // nobody reads meanwhile
  for (int i = 0; i < 3'000; ++i) {
    Child gone({});
    ASSERT_TRUE(enter(gone.tgid(), Verdict::kExcluded));
    gone.end();
  }
  Child newcomer({[&] { send_all(connection.client.get(), kRequest); }});
  newcomer.step();
  EXPECT_EQ(chunk_count(connection.client_cookie), 1u);
  EXPECT_EQ(told(control_records_, newcomer.tgid()), 1u);
  EXPECT_EQ(count(EXA_COUNTER_DROPPED_PROCESS_NO_STATE), 0u);
}

// The entry hangs on the leader of the group, whoever speaks first.
TEST_F(Verdicts, HoldForEveryThreadOfTheProcess) {
  Connection connection;
  const auto by_thread = [&] {
    std::thread([&] { send_all(connection.client.get(), kRequest); }).join();
  };
  Child child({by_thread, by_thread});
  child.step();
  EXPECT_EQ(chunk_count(connection.client_cookie), 1u);
  EXPECT_EQ(told(records_, child.tgid()), 1u);
  ASSERT_TRUE(enter(child.tgid(), Verdict::kExcluded));
  child.step();
  EXPECT_EQ(chunk_count(connection.client_cookie), 1u);
}

// Nobody could judge it: told again, until the prober has heard.
TEST_F(Verdicts, AreAskedForAgainWhenTheControlRingWasFull) {
  start({.control_ring_bytes = 4096});
  Connection connection;
  for (int i = 0; i < 60; ++i) {
    Child child({[&] { send_all(connection.client.get(), kRequest); }});
    child.step();
  }
  EXPECT_GE(count(EXA_COUNTER_CONTROL_RING_FULL), 1u);
  const auto write = [&] { send_all(connection.client.get(), kRequest); };
  Child child({write, write});
  child.step();
  drain();
  ASSERT_EQ(told(control_records_, child.tgid()), 0u);
  child.step();
  EXPECT_EQ(told(control_records_, child.tgid()), 1u);
}

}  // namespace
}  // namespace exa::test
