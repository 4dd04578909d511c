// The chain over outputs that write down what they are told.
#include "agent/outputs/export_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace exa {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using testing::ElementsAre;

struct Diary {
  std::vector<std::string> lines;
  std::map<std::string, Clock::time_point> deadlines;
};

class WrittenSpans final : public SpanExporter {
 public:
  WrittenSpans(Diary& diary, std::string name, std::size_t queued)
      : diary_(diary), name_(std::move(name)), queued_(queued) {}
  SpanDelivery export_spans(std::vector<Span>, Clock::time_point) override {
    diary_.lines.push_back(name_);
    return SpanDelivery::kAcknowledged;
  }
  void shutdown(Clock::time_point deadline) override {
    diary_.lines.push_back("end of " + name_);
    diary_.deadlines[name_] = deadline;
  }
  [[nodiscard]] std::size_t queued_spans() const override { return queued_; }
  [[nodiscard]] bool take_pressure() override {
    diary_.lines.push_back("pressure of " + name_);
    return queued_ > 3;
  }

 private:
  Diary& diary_;
  const std::string name_;
  const std::size_t queued_;
};

class WrittenMetrics final : public MetricExporter {
 public:
  WrittenMetrics(Diary& diary, std::string name) : diary_(diary), name_(std::move(name)) {}
  void export_metrics(std::shared_ptr<const MetricBatch>) override {
    diary_.lines.push_back(name_);
  }
  void shutdown(Clock::time_point deadline) override {
    diary_.lines.push_back("end of " + name_);
    diary_.deadlines[name_] = deadline;
  }

 private:
  Diary& diary_;
  const std::string name_;
};

class Chain : public testing::Test {
 protected:
  // As the agent has them: an endpoint, a backend, a console.
  ExportChain endpoint_backend_and_console() {
    std::vector<Output> outputs(3);
    outputs[0].metrics.push_back(std::make_unique<WrittenMetrics>(diary_, "page"));
    outputs[0].listening_port = 9464;
    outputs[0].exemplar_store = [] { return ExemplarStoreState{.stored = 3, .capacity = 10}; };
    outputs[1].spans.push_back(std::make_unique<WrittenSpans>(diary_, "backend's spans", 7));
    outputs[1].metrics.push_back(std::make_unique<WrittenMetrics>(diary_, "backend's metrics"));
    outputs[2].spans.push_back(std::make_unique<WrittenSpans>(diary_, "printed spans", 0));
    outputs[2].metrics.push_back(std::make_unique<WrittenMetrics>(diary_, "printed metrics"));
    outputs[2].failure = [this] { return error_; };
    return ExportChain(std::move(outputs));
  }

  Diary diary_;
  int error_ = 0;
};

TEST_F(Chain, ServesWhoeverMayKeepOthersWaitingLast) {
  const auto chain = endpoint_backend_and_console();
  for (auto* exporter : chain.span_exporters())
    exporter->export_spans({}, {});
  for (auto* exporter : chain.metric_exporters())
    exporter->export_metrics(nullptr);
  EXPECT_THAT(diary_.lines, ElementsAre("printed spans", "backend's spans", "page",
                                        "backend's metrics", "printed metrics"));
}

TEST_F(Chain, AddsUpWhatItsOutputsSay) {
  const auto chain = endpoint_backend_and_console();
  EXPECT_EQ(chain.queued_spans(), 7u);
  EXPECT_EQ(chain.listening_port(), 9464);
  ASSERT_TRUE(chain.exemplar_store());
  EXPECT_EQ(chain.exemplar_store()->stored, 3u);
  EXPECT_EQ(chain.failure(), 0);
  error_ = 32;
  EXPECT_EQ(chain.failure(), 32);
}

TEST_F(Chain, EndsSpansFirstAndKeepsHalfOfTheTimeForMetrics) {
  auto chain = endpoint_backend_and_console();
  const auto began = Clock::now();
  chain.shutdown(began + 100s);
  EXPECT_THAT(diary_.lines,
              ElementsAre("end of printed spans", "end of backend's spans", "end of page",
                          "end of backend's metrics", "end of printed metrics"));
  EXPECT_GE(diary_.deadlines["backend's spans"], began + 50s);
  EXPECT_LT(diary_.deadlines["backend's spans"], began + 60s);
  EXPECT_EQ(diary_.deadlines["backend's metrics"], began + 100s);
}

TEST_F(Chain, AsksEachOfThemForPressure) {
  const auto chain = endpoint_backend_and_console();
  EXPECT_TRUE(chain.take_pressure());
  EXPECT_THAT(diary_.lines,
              ElementsAre("pressure of printed spans", "pressure of backend's spans"));
}

TEST_F(Chain, EndsAtOnceAfterItsDeadline) {
  auto chain = endpoint_backend_and_console();
  chain.shutdown(Clock::now() - 1s);
  EXPECT_LE(diary_.deadlines["backend's spans"], Clock::now());
}

TEST(EmptyChain, HasNothingAndFailsNever) {
  ExportChain chain({});
  EXPECT_TRUE(chain.span_exporters().empty());
  EXPECT_TRUE(chain.metric_exporters().empty());
  EXPECT_EQ(chain.queued_spans(), 0u);
  EXPECT_FALSE(chain.take_pressure());
  EXPECT_FALSE(chain.exemplar_store());
  EXPECT_EQ(chain.listening_port(), 0);
  EXPECT_EQ(chain.failure(), 0);
  chain.shutdown(Clock::now());
}

}  // namespace
}  // namespace exa
