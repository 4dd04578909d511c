// The loop under every queue, over a backlog of letters: when it sends, pauses, divides and ends.
#include "exporters/queue/sending_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/exporters/scripted_sender.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Counter = ExportCounter;
using testing::ElementsAre;

// Each item is one text; what becomes of it is written down.
class Texts final : private Backlog {
 public:
  Texts(const std::shared_ptr<SenderScript>& script, const QueueSettings& settings,
        ExportCounters& counters)
      : loop_(*this, std::make_unique<ScriptedSender>(script),
              {.waits = "; texts wait",
               .again = "texts are delivered again",
               .dropped = "; the text was dropped",
               .too_large = "one letter is too large"},
              settings, counters, [this](LogLevel, std::string_view line) {
                const std::lock_guard lock(lines_mutex_);
                lines_.emplace_back(line);
              }) {}

  void put(const std::string& text) {
    {
      const auto lock = loop_.lock();
      waiting_.push_back(text);
    }
    loop_.wake();
  }
  void finish(Clock::duration within) { loop_.finish(Clock::now() + within); }
  std::vector<std::string> fates() {
    const auto lock = loop_.lock();
    return fates_;
  }
  bool pauses_until(Clock::time_point time) {
    const auto lock = loop_.lock();
    return loop_.pauses_until(time);
  }
  std::vector<std::string> lines() {
    const std::lock_guard lock(lines_mutex_);
    return lines_;
  }

 private:
  [[nodiscard]] bool empty() const override { return waiting_.empty(); }
  SendOutcome attempt(Sender& sender) override {
    std::string front;
    {
      const auto lock = loop_.lock();
      front = waiting_.front();
    }
    return sender.send(front);
  }
  [[nodiscard]] bool divide() override {
    const auto front = waiting_.front();
    if (front.size() < 2) return false;
    waiting_.front() = front.substr(front.size() / 2);
    waiting_.insert(waiting_.begin(), front.substr(0, front.size() / 2));
    return true;
  }
  void settle(Verdict verdict, std::uint64_t rejected) override {
    const char* const fate = verdict == Verdict::kDelivered ? " delivered" : " refused";
    fates_.push_back(waiting_.front() + fate +
                     (rejected != 0 ? ", rejected " + std::to_string(rejected) : ""));
    waiting_.erase(waiting_.begin());
  }
  void attempt_ended(bool paused) override {
    if (paused) fates_.push_back(waiting_.front() + " paused");
  }
  void drop_rest() override {
    for (const auto& text : waiting_)
      fates_.push_back(text + " left");
    waiting_.clear();
  }

  std::mutex lines_mutex_;
  std::vector<std::string> lines_;
  std::vector<std::string> waiting_;
  std::vector<std::string> fates_;
  SendingLoop loop_;
};

class Loop : public testing::Test {
 protected:
  Texts& start(std::function<SendOutcome(int, const std::string&)> verdict) {
    script_->verdict = std::move(verdict);
    texts_ = std::make_unique<Texts>(
        script_, QueueSettings{.shortest_backoff = 2ms, .longest_backoff = 10ms}, counters_);
    return *texts_;
  }
  std::uint64_t count(Counter counter) const { return counters_.get(counter); }

  std::shared_ptr<SenderScript> script_ = std::make_shared<SenderScript>();
  ExportCounters counters_;
  std::unique_ptr<Texts> texts_;
};

TEST_F(Loop, SendsWhatIsPutInOrderAndEndsWhenAllIsSent) {
  auto& texts =
      start([](int, const std::string&) { return SendOutcome{.status = SendStatus::kDelivered}; });
  texts.put("a");
  texts.put("b");
  texts.finish(10s);
  EXPECT_THAT(texts.fates(), ElementsAre("a delivered", "b delivered"));
  EXPECT_THAT(texts.lines(), ElementsAre());
}

TEST_F(Loop, RepeatsTheFrontUntilItIsTakenAndSaysSoOnce) {
  auto& texts = start([](int attempt, const std::string&) {
    return attempt < 3 ? SendOutcome{.status = SendStatus::kRetry,
                                     .trouble = SendTrouble::kUnreachable,
                                     .text = "down"}
                       : SendOutcome{.status = SendStatus::kDelivered};
  });
  texts.put("a");
  ASSERT_TRUE(script_->wait_for_attempts(4));
  texts.finish(10s);
  EXPECT_THAT(texts.fates(), ElementsAre("a paused", "a paused", "a paused", "a delivered"));
  EXPECT_EQ(count(Counter::kAttemptsRetried), 3u);
  EXPECT_THAT(texts.lines(), ElementsAre("down; texts wait", "texts are delivered again"));
}

TEST_F(Loop, SendsNothingBeforeRetryAfterHasPassed) {
  auto& texts = start([](int, const std::string&) {
    return SendOutcome{.status = SendStatus::kRetry, .retry_after = 100s};
  });
  texts.put("a");
  ASSERT_TRUE(script_->wait_for_attempts(1));
  const auto began = Clock::now();
  while (!texts.pauses_until(began + 60s) && Clock::now() < began + 10s)
    std::this_thread::yield();
  EXPECT_TRUE(texts.pauses_until(began + 60s));
  EXPECT_FALSE(texts.pauses_until(began + 200s));
  texts.put("b");
  EXPECT_EQ(script_->attempts(), 1u);
}

TEST_F(Loop, DividesWhatIsTooLargeAndRefusesWhatCannotBeDivided) {
  auto& texts = start([](int, const std::string& text) {
    return SendOutcome{.status = text.size() > 1 || text == "z" ? SendStatus::kTooLarge
                                                                : SendStatus::kDelivered};
  });
  texts.put("az");
  texts.finish(10s);
  EXPECT_THAT(texts.fates(), ElementsAre("a delivered", "z refused"));
  EXPECT_EQ(count(Counter::kAttemptsRetried), 1u);
  EXPECT_EQ(count(Counter::kAttemptsFailed), 1u);
  EXPECT_THAT(texts.lines(), ElementsAre("one letter is too large"));
}

TEST_F(Loop, HandsOnWhatWasRejectedAndSaysWhy) {
  auto& texts = start([](int, const std::string&) {
    return SendOutcome{.status = SendStatus::kDelivered, .rejected = 2, .text = "no room"};
  });
  texts.put("a");
  texts.finish(10s);
  EXPECT_THAT(texts.fates(), ElementsAre("a delivered, rejected 2"));
  EXPECT_THAT(texts.lines(), ElementsAre("no room"));
}

TEST_F(Loop, RefusesWhatWillNeverBeTakenAndGoesOn) {
  auto& texts = start([](int attempt, const std::string&) {
    return attempt == 0 ? SendOutcome{.status = SendStatus::kRefused, .text = "answered 400"}
                        : SendOutcome{.status = SendStatus::kDelivered};
  });
  texts.put("a");
  texts.put("b");
  texts.finish(10s);
  EXPECT_THAT(texts.fates(), ElementsAre("a refused", "b delivered"));
  EXPECT_EQ(count(Counter::kAttemptsFailed), 1u);
  EXPECT_THAT(texts.lines(), ElementsAre("answered 400; the text was dropped"));
}

TEST_F(Loop, MakesOneMoreAttemptAtTheEndAndLeavesTheRestByItsDeadline) {
  auto& texts = start([](int, const std::string&) {
    return SendOutcome{.status = SendStatus::kRetry, .retry_after = 100s};
  });
  texts.put("a");
  texts.put("b");
  ASSERT_TRUE(script_->wait_for_attempts(1));
  const auto began = Clock::now();
  texts.finish(100ms);
  texts.finish(100ms);
  EXPECT_LT(Clock::now() - began, 5s);
  EXPECT_EQ(script_->attempts(), 2u);
  EXPECT_THAT(texts.fates(), ElementsAre("a paused", "a paused", "a left", "b left"));
}

TEST_F(Loop, EndsWithItsOwner) {
  script_->held = true;
  start([](int, const std::string&) { return SendOutcome{}; }).put("a");
  ASSERT_TRUE(script_->wait_for_attempts(1));
  texts_.reset();
  EXPECT_EQ(script_->attempts(), 1u);
}

}  // namespace
}  // namespace exa
