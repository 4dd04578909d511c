#include "exporters/queue/span_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/exporters/samples.h"
#include "tests/unit/exporters/scripted_sender.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Counter = ExportCounter;

// A request is one letter a span: its size is its number of spans.
std::string one_letter_a_span(std::span<const Span> spans) {
  return std::string(spans.size(), 's');
}

QueueSettings quick() {
  QueueSettings settings;
  settings.shortest_backoff = 2ms;
  settings.longest_backoff = 10ms;
  return settings;
}

class SpanQueue : public testing::Test {
 protected:
  QueuedSpanExporter& start(QueueSettings settings = quick()) {
    exporter_ = std::make_unique<QueuedSpanExporter>(std::make_unique<ScriptedSender>(script_),
                                                     one_letter_a_span, settings, counters_,
                                                     [this](LogLevel, std::string_view line) {
                                                       const std::lock_guard lock(lines_mutex_);
                                                       lines_.emplace_back(line);
                                                     });
    return *exporter_;
  }
  SpanDelivery send(std::size_t spans, Clock::duration within = 10s) {
    return exporter_->export_spans(samples::spans(spans), Clock::now() + within);
  }
  std::uint64_t count(Counter counter) const { return counters_.get(counter); }

  // Every span handed over is accounted for.
  void expect_identity() const {
    EXPECT_EQ(count(Counter::kSpansQueued),
              count(Counter::kSpansSent) + count(Counter::kSpansRejected) +
                  count(Counter::kSpansDroppedQueueFull) + count(Counter::kSpansDroppedRefused) +
                  count(Counter::kSpansDroppedExpired) + count(Counter::kSpansDroppedShutdown) +
                  exporter_->queued_spans());
  }
  void TearDown() override {
    if (!exporter_) return;
    expect_identity();
    exporter_->shutdown(Clock::now());
    EXPECT_EQ(exporter_->queued_spans(), 0u);
    EXPECT_EQ(exporter_->queued_bytes(), 0u);
    expect_identity();
  }
  void answer(SendOutcome outcome) {
    script_->verdict = [outcome](int, const std::string&) { return outcome; };
  }

  std::shared_ptr<SenderScript> script_ = std::make_shared<SenderScript>();
  ExportCounters counters_;
  std::mutex lines_mutex_;
  std::vector<std::string> lines_;
  std::unique_ptr<QueuedSpanExporter> exporter_;
};

TEST_F(SpanQueue, AcknowledgesWhatIsDelivered) {
  start();
  EXPECT_EQ(send(3), SpanDelivery::kAcknowledged);
  EXPECT_EQ(send(0), SpanDelivery::kAcknowledged);
  EXPECT_EQ(count(Counter::kSpansSent), 3u);
  EXPECT_EQ(script_->requests, std::vector<std::string>{"sss"});
}

TEST_F(SpanQueue, RefusesABatchOfWhichSomeWereRejected) {
  answer({.status = SendStatus::kDelivered, .rejected = 1});
  start();
  EXPECT_EQ(send(3), SpanDelivery::kRefused);
  EXPECT_EQ(count(Counter::kSpansSent), 2u);
  EXPECT_EQ(count(Counter::kSpansRejected), 1u);
  EXPECT_EQ(script_->attempts(), 1u) << "a partial success is never repeated";
}

TEST_F(SpanQueue, CountsNoMoreRejectedThanWereSent) {
  answer({.status = SendStatus::kDelivered, .rejected = 1'000'000});
  start();
  EXPECT_EQ(send(3), SpanDelivery::kRefused);
  EXPECT_EQ(count(Counter::kSpansSent), 0u);
  EXPECT_EQ(count(Counter::kSpansRejected), 3u);
}

TEST_F(SpanQueue, DropsWhatTheBackendRefusesWithoutASecondAttempt) {
  answer({.status = SendStatus::kRefused, .text = "400"});
  start();
  EXPECT_EQ(send(3), SpanDelivery::kRefused);
  EXPECT_EQ(count(Counter::kSpansDroppedRefused), 3u);
  EXPECT_EQ(script_->attempts(), 1u);
}

TEST_F(SpanQueue, TriesAgainUntilTheBackendIsBack) {
  script_->verdict = [](int attempt, const std::string&) {
    return SendOutcome{.status = attempt < 4 ? SendStatus::kRetry : SendStatus::kDelivered};
  };
  start();
  EXPECT_EQ(send(2), SpanDelivery::kAcknowledged);
  EXPECT_EQ(count(Counter::kAttemptsRetried), 4u);
  EXPECT_EQ(count(Counter::kSpansSent), 2u);
}

TEST_F(SpanQueue, FeelsPressureOnceForEachTimeThatTheBackendPutsSpansOff) {
  script_->verdict = [](int attempt, const std::string&) {
    return SendOutcome{.status = attempt < 1 ? SendStatus::kRetry : SendStatus::kDelivered};
  };
  start();
  EXPECT_FALSE(exporter_->take_pressure());
  EXPECT_EQ(send(2), SpanDelivery::kAcknowledged);
  EXPECT_TRUE(exporter_->take_pressure());
  EXPECT_FALSE(exporter_->take_pressure());
  EXPECT_EQ(send(2), SpanDelivery::kAcknowledged);
  EXPECT_FALSE(exporter_->take_pressure());
}

TEST_F(SpanQueue, FeelsPressureAllTheTimeThatTheBackendPutsSpansOff) {
  answer({.status = SendStatus::kRetry, .retry_after = 60s});
  start();
  EXPECT_EQ(send(2), SpanDelivery::kPending);
  EXPECT_TRUE(exporter_->take_pressure());
  EXPECT_TRUE(exporter_->take_pressure()) << "though there was no further attempt";
}

TEST_F(SpanQueue, FeelsPressureWhenHalfOfItIsUsed) {
  script_->held = true;
  auto settings = quick();
  settings.queue_bytes = 20 * footprint_bytes(samples::spans(1)[0]);
  start(settings);
  EXPECT_EQ(send(5, 0ms), SpanDelivery::kPending);
  EXPECT_FALSE(exporter_->take_pressure());
  EXPECT_EQ(send(6, 0ms), SpanDelivery::kPending);
  EXPECT_TRUE(exporter_->take_pressure());
  script_->hold(false);
}

TEST_F(SpanQueue, ARefusalForGoodIsNoPressure) {
  answer({.status = SendStatus::kRefused});
  start();
  EXPECT_EQ(send(2), SpanDelivery::kRefused);
  EXPECT_FALSE(exporter_->take_pressure());
}

TEST_F(SpanQueue, SaysPendingAtTheDeadlineAndDeliversLater) {
  script_->held = true;
  start();
  EXPECT_EQ(send(2, 20ms), SpanDelivery::kPending);
  EXPECT_EQ(exporter_->queued_spans(), 2u);
  script_->hold(false);
  EXPECT_EQ(send(1), SpanDelivery::kAcknowledged);
  EXPECT_EQ(count(Counter::kSpansSent), 3u);
}

TEST_F(SpanQueue, SaysPendingAtOnceWhenTheNextAttemptIsPastTheDeadline) {
  answer({.status = SendStatus::kRetry, .retry_after = 200s});
  start();
  const auto began = Clock::now();
  EXPECT_EQ(send(2, 60s), SpanDelivery::kPending);
  EXPECT_EQ(send(2, 60s), SpanDelivery::kPending);
  EXPECT_LT(Clock::now() - began, 30s);
  EXPECT_EQ(script_->attempts(), 1u) << "not before Retry-After has passed";
}

TEST_F(SpanQueue, DropsTheOldestWhenFull) {
  script_->held = true;
  auto settings = quick();
  const std::size_t one = footprint_bytes(samples::spans(1)[0]);
  settings.queue_bytes = 25 * one;
  start(settings);
  // In flight, so it stays although it is the oldest.
  EXPECT_EQ(send(5, 0ms), SpanDelivery::kPending);
  ASSERT_TRUE(script_->wait_for_attempts(1));
  EXPECT_EQ(send(6, 0ms), SpanDelivery::kPending);
  EXPECT_EQ(send(7, 0ms), SpanDelivery::kPending);
  EXPECT_EQ(send(8, 0ms), SpanDelivery::kPending);
  EXPECT_EQ(count(Counter::kSpansDroppedQueueFull), 6u);
  EXPECT_LE(exporter_->queued_bytes(), settings.queue_bytes);
  EXPECT_EQ(exporter_->queued_spans(), 5u + 7u + 8u);
  script_->hold(false);
  EXPECT_EQ(send(1), SpanDelivery::kAcknowledged);
  EXPECT_EQ(count(Counter::kSpansSent), 5u + 7u + 8u + 1u);
}

TEST_F(SpanQueue, DropsABatchLargerThanTheQueue) {
  auto settings = quick();
  settings.queue_bytes = 1000;
  start(settings);
  EXPECT_EQ(send(100), SpanDelivery::kDropped);
  EXPECT_EQ(count(Counter::kSpansDroppedQueueFull), 100u);
}

TEST_F(SpanQueue, SplitsWhatIsTooLarge) {
  script_->verdict = [](int, const std::string& request) {
    return SendOutcome{.status =
                           request.size() > 3 ? SendStatus::kTooLarge : SendStatus::kDelivered};
  };
  start();
  EXPECT_EQ(send(10), SpanDelivery::kAcknowledged);
  EXPECT_EQ(count(Counter::kSpansSent), 10u);
}

TEST_F(SpanQueue, DropsOnlyTheSpanThatAloneIsTooLarge) {
  answer({.status = SendStatus::kTooLarge});
  start();
  EXPECT_EQ(send(4), SpanDelivery::kRefused);
  EXPECT_EQ(count(Counter::kSpansDroppedRefused), 4u);
}

TEST_F(SpanQueue, KeepsRequestsWithinTheirBounds) {
  auto settings = quick();
  settings.request_spans = 8;
  settings.request_bytes = 5;
  start(settings);
  EXPECT_EQ(send(20), SpanDelivery::kAcknowledged);
  std::size_t spans = 0;
  for (const auto& request : script_->requests) {
    EXPECT_LE(request.size(), 5u);
    spans += request.size();
  }
  EXPECT_EQ(spans, 20u);
}

TEST_F(SpanQueue, DropsWhatHasExpired) {
  answer({.status = SendStatus::kRetry});
  auto settings = quick();
  settings.longest_age = 0s;
  start(settings);
  EXPECT_EQ(send(3), SpanDelivery::kDropped);
  EXPECT_EQ(count(Counter::kSpansDroppedExpired), 3u);
}

TEST_F(SpanQueue, EmptiesItselfAtShutdown) {
  script_->held = true;
  start();
  EXPECT_EQ(send(2, 0ms), SpanDelivery::kPending);
  EXPECT_EQ(send(3, 0ms), SpanDelivery::kPending);
  script_->hold(false);
  exporter_->shutdown(Clock::now() + 10s);
  EXPECT_EQ(count(Counter::kSpansSent), 5u);
  EXPECT_EQ(send(1), SpanDelivery::kDropped);
  EXPECT_EQ(count(Counter::kSpansDroppedShutdown), 1u);
}

TEST_F(SpanQueue, DropsWhatIsLeftAtTheShutdownDeadline) {
  answer({.status = SendStatus::kRetry, .retry_after = 100s});
  start();
  EXPECT_EQ(send(2, 10ms), SpanDelivery::kPending);
  const auto began = Clock::now();
  exporter_->shutdown(Clock::now() + 50ms);
  exporter_->shutdown(Clock::now() + 50ms);
  EXPECT_LT(Clock::now() - began, 5s);
  EXPECT_EQ(count(Counter::kSpansDroppedShutdown), 2u);
}

TEST_F(SpanQueue, ShutdownEndsAnAttemptInFlight) {
  script_->held = true;
  start();
  EXPECT_EQ(send(2, 0ms), SpanDelivery::kPending);
  ASSERT_TRUE(script_->wait_for_attempts(1));
  exporter_->shutdown(Clock::now());
  EXPECT_EQ(count(Counter::kSpansDroppedShutdown), 2u);
}

TEST_F(SpanQueue, SaysOneLineACauseHoweverOftenItHappens) {
  script_->verdict = [](int attempt, const std::string&) {
    return SendOutcome{.status = attempt < 30 ? SendStatus::kRetry : SendStatus::kDelivered,
                       .trouble = SendTrouble::kUnreachable,
                       .text = attempt < 30 ? "down" : ""};
  };
  start();
  EXPECT_EQ(send(2), SpanDelivery::kAcknowledged);
  exporter_->shutdown(Clock::now());
  EXPECT_THAT(lines_, testing::ElementsAre(testing::HasSubstr("down"),
                                           testing::HasSubstr("spans are being delivered again")));
}

TEST_F(SpanQueue, HoldsItsIdentityUnderManyCallersAndFaults) {
  script_->verdict = [](int attempt, const std::string&) {
    switch (attempt % 5) {
      case 0:
        return SendOutcome{.status = SendStatus::kRetry};
      case 1:
        return SendOutcome{.status = SendStatus::kTooLarge};
      case 2:
        return SendOutcome{.status = SendStatus::kDelivered, .rejected = 1};
      case 3:
        return SendOutcome{.status = SendStatus::kRefused};
      default:
        return SendOutcome{.status = SendStatus::kDelivered};
    }
  };
  auto settings = quick();
  settings.queue_bytes = 20'000;
  start(settings);
  std::thread reader([&] {
    for (int i = 0; i < 200; ++i) {
      EXPECT_LE(exporter_->queued_bytes(), 60'000u);
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < 60; ++i)
    send(static_cast<std::size_t>(i % 9), i % 2 == 0 ? 0ms : 5ms);
  reader.join();
  exporter_->shutdown(Clock::now() + 10s);
}

TEST(Footprint, GrowsWithWhatASpanHolds) {
  Span small = samples::span(1);
  Span large = small;
  large.attributes.push_back({"url.path", std::string(10'000, 'a')});
  EXPECT_GT(footprint_bytes(large), footprint_bytes(small) + 10'000);
  Span eventful = small;
  for (int i = 0; i < 100; ++i)
    eventful.events.push_back({.time = {}, .name = std::string(100, 'e')});
  EXPECT_GT(footprint_bytes(eventful), footprint_bytes(small) + 100 * (100 + sizeof(SpanEvent)));
}

}  // namespace
}  // namespace exa
