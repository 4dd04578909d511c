#include "exporters/queue/newest_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "tests/unit/exporters/samples.h"
#include "tests/unit/exporters/scripted_sender.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Counter = ExportCounter;

// A batch is as many bytes as seconds of its window's start; a point is ten bytes.
std::vector<EncodedMetrics> encode(const MetricsToEncode& what) {
  std::vector<EncodedMetrics> requests;
  std::size_t left = what.batch.window_start.ns - 10 * what.skipped_points;
  while (left != 0) {
    const std::size_t size = std::min(left, std::max<std::size_t>(what.limit_bytes, 10));
    requests.push_back({.request = std::string(size, 'm'), .points = (size + 9) / 10});
    left -= size;
  }
  return requests;
}

// To the batch that was delivered last.
std::vector<EncodedMetrics> encode_delta(const MetricsToEncode& what) {
  MetricBatch added = what.batch;
  if (what.delivered != nullptr) added.window_start.ns -= what.delivered->window_start.ns;
  return encode(
      {.batch = added, .limit_bytes = what.limit_bytes, .skipped_points = what.skipped_points});
}

std::shared_ptr<const MetricBatch> batch_of(std::uint64_t bytes) {
  auto batch = std::make_shared<MetricBatch>();
  batch->window_start = {bytes};
  return batch;
}

class NewestMetrics : public testing::Test {
 protected:
  NewestMetricExporter& start(Temporality temporality = Temporality::kCumulative,
                              std::size_t request_bytes = QueueSettings().request_bytes) {
    QueueSettings settings;
    settings.request_bytes = request_bytes;
    settings.shortest_backoff = 2ms;
    settings.longest_backoff = 10ms;
    const bool delta = temporality == Temporality::kDelta;
    exporter_ = std::make_unique<NewestMetricExporter>(std::make_unique<ScriptedSender>(script_),
                                                       delta ? encode_delta : encode, settings,
                                                       counters_, LogSink(), temporality);
    return *exporter_;
  }
  std::uint64_t count(Counter counter) const { return counters_.get(counter); }
  std::vector<std::size_t> sizes() {
    std::vector<std::size_t> all;
    for (const auto& request : script_->requests)
      all.push_back(request.size());
    return all;
  }

  std::shared_ptr<SenderScript> script_ = std::make_shared<SenderScript>();
  ExportCounters counters_;
  std::unique_ptr<NewestMetricExporter> exporter_;
};

TEST_F(NewestMetrics, SendsABatch) {
  start().export_metrics(batch_of(100));
  exporter_->shutdown(Clock::now() + 10s);
  EXPECT_EQ(count(Counter::kMetricBatchesSent), 1u);
  EXPECT_EQ(sizes(), std::vector<std::size_t>{100});
}

TEST_F(NewestMetrics, KeepsOnlyTheNewestOfThoseThatWait) {
  script_->held = true;
  start().export_metrics(batch_of(100));
  ASSERT_TRUE(script_->wait_for_attempts(1));
  for (const std::uint64_t bytes : {200, 300, 400})
    exporter_->export_metrics(batch_of(bytes));
  script_->hold(false);
  ASSERT_TRUE(script_->wait_for_attempts(2));
  exporter_->shutdown(Clock::now() + 10s);
  EXPECT_EQ(sizes(), (std::vector<std::size_t>{100, 400}));
  EXPECT_EQ(count(Counter::kMetricBatchesSent), 2u);
  EXPECT_EQ(count(Counter::kMetricBatchesSuperseded), 2u);
}

TEST_F(NewestMetrics, RetriesWithTheNewest) {
  script_->verdict = [](int, const std::string& request) {
    return SendOutcome{.status =
                           request.size() == 100 ? SendStatus::kRetry : SendStatus::kDelivered};
  };
  start().export_metrics(batch_of(100));
  ASSERT_TRUE(script_->wait_for_attempts(3));
  exporter_->export_metrics(batch_of(200));
  exporter_->shutdown(Clock::now() + 10s);
  EXPECT_EQ(sizes().back(), 200u);
  EXPECT_EQ(count(Counter::kMetricBatchesSent), 1u);
  EXPECT_EQ(count(Counter::kMetricBatchesSuperseded), 1u);
  EXPECT_GE(count(Counter::kAttemptsRetried), 3u);
}

TEST_F(NewestMetrics, RetriesTheSameDifferenceUntilItsFateIsKnown) {
  std::atomic<bool> up = false;
  script_->verdict = [&](int, const std::string&) {
    return SendOutcome{.status = up ? SendStatus::kDelivered : SendStatus::kRetry};
  };
  start(Temporality::kDelta).export_metrics(batch_of(100));
  ASSERT_TRUE(script_->wait_for_attempts(2));
  exporter_->export_metrics(batch_of(200));
  exporter_->export_metrics(batch_of(350));
  ASSERT_TRUE(script_->wait_for_attempts(script_->attempts() + 2));
  up = true;
  exporter_->shutdown(Clock::now() + 10s);
  auto all = sizes();
  EXPECT_EQ(all.back(), 250u) << "what was added since, once";
  all.pop_back();
  EXPECT_THAT(all, testing::Each(100u));
  EXPECT_EQ(count(Counter::kMetricBatchesSent), 2u);
  EXPECT_EQ(count(Counter::kMetricBatchesSuperseded), 1u);
}

TEST_F(NewestMetrics, ADifferenceThatMayHaveArrivedIsNotInTheNext) {
  script_->verdict = [](int attempt, const std::string&) {
    if (attempt > 0) return SendOutcome{.status = SendStatus::kDelivered};
    return SendOutcome{.status = SendStatus::kRefused, .trouble = SendTrouble::kBadReply};
  };
  start(Temporality::kDelta).export_metrics(batch_of(100));
  ASSERT_TRUE(script_->wait_for_attempts(1));
  exporter_->export_metrics(batch_of(300));
  exporter_->shutdown(Clock::now() + 10s);
  EXPECT_EQ(sizes(), (std::vector<std::size_t>{100, 200}));
  EXPECT_EQ(count(Counter::kMetricBatchesRefused), 1u);
  EXPECT_EQ(count(Counter::kMetricBatchesSent), 1u);
}

TEST_F(NewestMetrics, ADifferenceThatWasRefusedIsInTheNext) {
  script_->verdict = [](int attempt, const std::string&) {
    return SendOutcome{.status = attempt > 0 ? SendStatus::kDelivered : SendStatus::kRefused};
  };
  start(Temporality::kDelta).export_metrics(batch_of(100));
  ASSERT_TRUE(script_->wait_for_attempts(1));
  exporter_->export_metrics(batch_of(300));
  exporter_->shutdown(Clock::now() + 10s);
  EXPECT_EQ(sizes(), (std::vector<std::size_t>{100, 300}));
  EXPECT_EQ(count(Counter::kMetricPointsRejected), 0u);
}

TEST_F(NewestMetrics, CountsTheRefusedPartOfADifferenceThatArrivedInPart) {
  script_->verdict = [](int attempt, const std::string&) {
    return SendOutcome{.status = attempt == 1 ? SendStatus::kRefused : SendStatus::kDelivered};
  };
  start(Temporality::kDelta, 40).export_metrics(batch_of(100));
  exporter_->shutdown(Clock::now() + 10s);
  EXPECT_EQ(sizes(), (std::vector<std::size_t>{40, 40, 20}));
  EXPECT_EQ(count(Counter::kMetricPointsRejected), 4u);
  EXPECT_EQ(count(Counter::kMetricBatchesRefused), 1u);
}

TEST_F(NewestMetrics, DropsWhatIsRefused) {
  script_->verdict = [](int, const std::string&) {
    return SendOutcome{.status = SendStatus::kRefused};
  };
  start().export_metrics(batch_of(100));
  exporter_->shutdown(Clock::now() + 10s);
  EXPECT_EQ(script_->attempts(), 1u);
  EXPECT_EQ(count(Counter::kMetricBatchesRefused), 1u);
  EXPECT_EQ(count(Counter::kMetricBatchesSent), 0u);
}

TEST_F(NewestMetrics, LearnsTheSizeTheBackendTakes) {
  script_->verdict = [](int, const std::string& request) {
    return SendOutcome{.status = request.size() > 40'000 ? SendStatus::kTooLarge
                                                         : SendStatus::kDelivered};
  };
  start().export_metrics(batch_of(100'000));
  ASSERT_TRUE(script_->wait_for_attempts(3));
  exporter_->shutdown(Clock::now() + 10s);
  EXPECT_EQ(sizes(), (std::vector<std::size_t>{100'000, 50'000, 25'000, 25'000, 25'000, 25'000}));
  EXPECT_EQ(count(Counter::kMetricBatchesSent), 1u);
}

TEST_F(NewestMetrics, GivesUpOnABackendThatTakesNothing) {
  script_->verdict = [](int, const std::string&) {
    return SendOutcome{.status = SendStatus::kTooLarge};
  };
  start().export_metrics(batch_of(40'000));
  exporter_->shutdown(Clock::now() + 10s);
  EXPECT_EQ(count(Counter::kMetricBatchesRefused), 1u);
}

TEST_F(NewestMetrics, CountsRejectedPoints) {
  script_->verdict = [](int, const std::string&) {
    return SendOutcome{.status = SendStatus::kDelivered, .rejected = 99};
  };
  start().export_metrics(batch_of(100));
  exporter_->shutdown(Clock::now() + 10s);
  EXPECT_EQ(count(Counter::kMetricPointsRejected), 10u);
  EXPECT_EQ(count(Counter::kMetricBatchesSent), 1u);
}

TEST_F(NewestMetrics, ShutdownTriesOnceMoreAndEndsByItsDeadline) {
  script_->verdict = [](int, const std::string&) {
    return SendOutcome{.status = SendStatus::kRetry, .retry_after = 100s};
  };
  start().export_metrics(batch_of(100));
  ASSERT_TRUE(script_->wait_for_attempts(1));
  const auto began = Clock::now();
  exporter_->shutdown(began + 100ms);
  EXPECT_LT(Clock::now() - began, 5s);
  EXPECT_EQ(script_->attempts(), 2u);
  exporter_->export_metrics(batch_of(200));
  exporter_->shutdown(Clock::now());
}

}  // namespace
}  // namespace exa
