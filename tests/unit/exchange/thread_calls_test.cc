#include "agent/exchange/thread_calls.h"

#include <gtest/gtest.h>

namespace exa {
namespace {

using Followed = ThreadCalls::Followed;

constexpr std::uint32_t kTgid = 42;
constexpr std::uint32_t kThread = 1'000;
constexpr std::uint32_t kOther = 1'001;

class Calls : public testing::Test {
 protected:
  struct Served {
    std::uint32_t tgid;
    std::uint32_t thread;
    Followed followed;
  };
  Served serve(std::uint32_t slot, std::uint32_t thread = kThread, std::uint32_t tgid = kTgid) {
    return {tgid, thread, calls.begin_served(tgid, thread, slot, sleeps)};
  }
  void answer(const Served& served, std::uint32_t by, bool complete = true) {
    calls.end_served({.followed = served.followed,
                      .tgid = served.tgid,
                      .begun_in = served.thread,
                      .ended_in = by,
                      .complete = complete});
  }
  void answer(const Served& served) { answer(served, served.thread); }
  ThreadCalls::Call send(std::uint32_t thread = kThread) { return calls.begin_call(kTgid, thread); }
  void receive(const ThreadCalls::Call& call, std::uint32_t in = kThread) {
    calls.end_call({.followed = call.followed, .tgid = kTgid, .begun_in = kThread, .ended_in = in});
  }
  void prove(std::uint32_t tgid = kTgid, int times = ThreadCalls::kProof) {
    for (int i = 0; i < times; ++i)
      answer(serve(1, kThread, tgid));
  }
  // What a request is told to be part of that is sent while one is served.
  std::uint32_t told() {
    const auto served = serve(7);
    const auto call = send();
    receive(call);
    answer(served);
    return call.served;
  }
  ThreadCalls calls;
  bool sleeps = true;  // in the call that reads a request
};

TEST_F(Calls, AThreadThatAwaitsEventsMeanwhileProvesNothing) {
  prove();
  calls.was_seen(kThread, ThreadDoing::kEpoll);
  EXPECT_EQ(told(), 7u) << "between two that it serves";
  const auto served = serve(1);
  calls.was_seen(kOther, ThreadDoing::kEpoll);
  answer(served);
  EXPECT_EQ(told(), 7u);
  const auto next = serve(1);
  calls.was_seen(kThread, ThreadDoing::kEpoll);
  answer(next);
  EXPECT_EQ(told(), kNoSlot);
}

// As an event loop does, which may go without anything that contradicts.
TEST_F(Calls, OfThreadsWhoseReadsDoNotSleepAreOfNobodyUntilTheyAreSeenToWaitForOne) {
  sleeps = false;
  prove();
  EXPECT_EQ(told(), kNoSlot);
  for (int seen = 0; seen < ThreadCalls::kSeen; ++seen) {
    EXPECT_EQ(told(), kNoSlot);
    calls.was_seen(kThread, ThreadDoing::kNetwork);  // between two requests
    const auto served = serve(1);
    for (const auto doing : {ThreadDoing::kEvents, ThreadDoing::kLock, ThreadDoing::kPollOne})
      calls.was_seen(kThread, doing);  // it may be a listener that it polls
    calls.was_seen(kOther, ThreadDoing::kNetwork);
    const auto call = send();
    calls.was_seen(kThread, seen == 0 ? ThreadDoing::kNetwork : ThreadDoing::kPollOne);
    receive(call);
    answer(served);
  }
  EXPECT_EQ(told(), 7u);
}

TEST_F(Calls, OneReadThatDoesNotSleepIsEnough) {
  prove();
  sleeps = false;
  answer(serve(1));
  sleeps = true;
  EXPECT_EQ(told(), kNoSlot);
}

TEST_F(Calls, ArePartOfWhatTheThreadServes) {
  prove();
  const auto served = serve(7);
  const auto first = send();
  EXPECT_EQ(first.served, 7u);
  EXPECT_EQ(send(kOther).served, kNoSlot) << "of a thread that serves nothing";
  receive(first);
  const auto second = send();
  EXPECT_EQ(second.served, 7u) << "one after the other";
  receive(second);
  answer(served);
  EXPECT_EQ(told(), 7u);
}

TEST_F(Calls, SeveralAtATimeAreNoBlockingThreads) {
  prove();
  const auto served = serve(7);
  const auto first = send();
  EXPECT_EQ(first.served, 7u);
  const auto second = send();
  EXPECT_EQ(second.served, kNoSlot);
  receive(first);
  receive(second);
  answer(served);
  EXPECT_EQ(told(), kNoSlot);
}

TEST_F(Calls, AreOfNobodyUntilItIsProven) {
  prove(kTgid, ThreadCalls::kProof - 1);
  EXPECT_EQ(told(), kNoSlot);
  EXPECT_EQ(told(), 7u) << "that was the last proof";
}

TEST_F(Calls, OfEachProcessAreProvenByItself) {
  prove(kTgid + 1);
  EXPECT_EQ(told(), kNoSlot);
}

TEST_F(Calls, OfAnEventLoopAreOfNobody) {
  prove();
  const auto first = serve(7);
  const auto second = serve(8);
  EXPECT_EQ(send().served, kNoSlot);
  answer(second);
  EXPECT_EQ(send().served, kNoSlot) << "although one is left";
  answer(first);
  prove();
  EXPECT_EQ(told(), kNoSlot) << "never again";
}

TEST_F(Calls, OfPoolsAreOfNobody) {
  prove();
  answer(serve(7), kOther);
  EXPECT_EQ(told(), kNoSlot);
}

TEST_F(Calls, ThatAnotherThreadReceivesAreTheLast) {
  prove();
  const auto served = serve(7);
  receive(send(), kOther);
  answer(served);
  EXPECT_EQ(told(), kNoSlot);
}

TEST_F(Calls, InTheBackgroundAreOfNobody) {
  prove();
  EXPECT_EQ(send().served, kNoSlot) << "between two requests";
  EXPECT_EQ(told(), kNoSlot) << "so it may do that during one, too";
}

TEST_F(Calls, ThatOutlastTheAnswerAreTheLast) {
  prove();
  const auto served = serve(7);
  const auto call = send();
  EXPECT_EQ(call.served, 7u);
  answer(served);
  receive(call);
  EXPECT_EQ(told(), kNoSlot);
}

TEST_F(Calls, AfterItsClientLeftAThreadMayGoOn) {
  prove();
  answer(serve(7), 0, false);
  EXPECT_EQ(send().served, kNoSlot);
  EXPECT_EQ(told(), 7u) << "which proves nothing";
}

TEST_F(Calls, OfUnknownThreadsAreTheLast) {
  prove();
  EXPECT_EQ(serve(7, 0).followed, Followed::kNot);
  EXPECT_EQ(send(0).served, kNoSlot);
  EXPECT_EQ(told(), kNoSlot) << "it may be that thread";
}

TEST_F(Calls, EndsThatAreNotKnownProveNothing) {
  for (int i = 0; i < ThreadCalls::kProof; ++i)
    answer(serve(1), 0);
  EXPECT_EQ(told(), kNoSlot);
}

TEST_F(Calls, WhileAThreadHasNoPlaceAreOfNobody) {
  prove();
  serve(7);
  const auto crowded = serve(8, kThread + ThreadCalls::kPlaces, kTgid + 1);
  EXPECT_EQ(crowded.followed, Followed::kWithoutPlace);
  EXPECT_EQ(send(crowded.thread).served, kNoSlot);
  const auto call = send();
  EXPECT_EQ(call.served, kNoSlot);
  receive(call);
  answer(crowded);
  EXPECT_EQ(send().served, 7u);
}

}  // namespace
}  // namespace exa
