// Where an exchange's account comes from: the calls that moved its first and its last byte.
#include <string>

#include "tests/unit/connection/tracker_fixture.h"

namespace exa {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using ::testing::SizeIs;

class Accounts : public testing::TrackerFixture {
 protected:
  Accounts() { wire.is_moved_by(5); }

  void expect_account(const Exchange& exchange) {
    EXPECT_TRUE(exchange.account.thread_known);
    EXPECT_EQ(exchange.account.on_cpu, exchange.duration() / 10);
  }
};

TEST_F(Accounts, OfAnAnswerInOneCall) {
  wire.reads(kGet);
  wire.writes(kOk);
  expect_account(only());
  EXPECT_EQ(only().duration(), milliseconds(1));
  EXPECT_EQ(only().account.on_cpu, microseconds(100));
}

TEST_F(Accounts, OfARequestAndAnAnswerInPieces) {
  wire.reads(kGet.substr(0, 20));
  wire.reads(kGet.substr(20));
  wire.writes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
  wire.writes("123456");
  wire.writes("789");
  expect_account(only());
  EXPECT_EQ(only().duration(), milliseconds(4));
}

TEST_F(Accounts, OfAnAnswerWhoseLastBytesAreToldLater) {
  wire.reads(kGet);
  wire.writes("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
  wire.writes_unseen(2'000);
  wire.writes_unseen(3'000);
  wire.tells_last_call(Direction::kEgress);
  wire.reads(kGet);
  expect_account(only());
  EXPECT_EQ(only().duration(), milliseconds(3));
}

TEST_F(Accounts, ALastCallOfAnotherTimeIsNotTheAnswers) {
  wire.reads(kGet);
  wire.writes("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
  wire.writes_unseen(2'000);
  wire.tells_last_call(Direction::kEgress);
  wire.writes_unseen(3'000);
  wire.position();
  EXPECT_FALSE(only().account.thread_known);
}

TEST_F(Accounts, TellIfAnotherThreadAnswered) {
  wire.reads(kGet);
  wire.is_moved_by(6);
  wire.writes(kOk);
  EXPECT_FALSE(only().account.thread_known);
  EXPECT_TRUE(only().account.other_thread);
}

// Go's runtime: a goroutine may come back to a thread that did other things meanwhile.
TEST_F(Accounts, AreUnknownOnceTheProcessMovedOneBetweenThreads) {
  wire.reads(kGet);
  wire.is_moved_by(6);
  wire.writes(kOk);
  wire.reads(kGet);
  wire.writes(kOk);
  ASSERT_THAT(sink.exchanges, SizeIs(2));
  EXPECT_FALSE(sink.exchanges[1].account.thread_known);
  EXPECT_TRUE(sink.exchanges[1].account.moves);
}

TEST_F(Accounts, AreUnknownWhereNothingIsTold) {
  wire.is_moved_by(0);
  wire.reads(kGet);
  wire.writes(kOk);
  EXPECT_FALSE(only().account.thread_known);
  EXPECT_FALSE(only().account.other_thread);
}

TEST_F(Accounts, OfEachRequestOnAConnection) {
  for (int i = 0; i < 3; ++i) {
    wire.reads(kGet);
    for (int idle = 0; idle < i; ++idle)
      wire.tick();
    wire.writes(kOk);
  }
  ASSERT_THAT(sink.exchanges, SizeIs(3));
  for (const auto& exchange : sink.exchanges)
    expect_account(exchange);
}

// One thread that serves two connections and asks on a third one.
TEST_F(Accounts, TellWhatElseTheThreadDid) {
  testing::Wire other(tracker, 8);
  testing::Wire upstream(tracker, 9);
  other.is_moved_by(5);
  upstream.is_moved_by(5);
  wire.reads(kGet);
  upstream.tick();
  upstream.writes(kGet);
  for (int i = 0; i < 9; ++i)
    upstream.tick();
  upstream.reads(kOk);
  other.tick();
  other.reads(kGet);
  other.writes(kOk);
  for (int i = 0; i < 20; ++i)
    wire.tick();
  wire.writes(kOk);

  ASSERT_THAT(sink.exchanges, SizeIs(3));
  const auto& asked = sink.exchanges[0];
  const auto& served = sink.exchanges[2];
  EXPECT_EQ(asked.role, Role::kClient);
  EXPECT_EQ(served.duration(), milliseconds(21));
  EXPECT_EQ(served.account.downstream, milliseconds(10));
  EXPECT_EQ(served.account.shared_with, 1u);
}

}  // namespace
}  // namespace exa
