#include "agent/explain/explainer.h"

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <vector>

#include "agent/commands/explain/explanation_text.h"
#include "agent/explain/explanation_json.h"
#include "agent/request_pipeline/request_pipeline.h"
#include "tests/unit/request_pipeline/synthetic_exchanges.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using testing::exchange_of;
using ::testing::HasSubstr;
using testing::kStart;
using ::testing::Not;
using testing::target_of;
using ::testing::UnorderedElementsAre;

// What the kernel and the tracker would have told.
Exchange on_cpu(Exchange exchange, Duration cpu_wait = {}) {
  auto& account = exchange.account;
  account.thread_known = account.cpu_wait_known = true;
  account.cpu_wait = cpu_wait;
  account.on_cpu = exchange.duration() - cpu_wait;
  return exchange;
}

class Explained : public ::testing::Test {
 protected:
  void SetUp() override {
    pipeline.begin(kStart);
    pipeline.on_clock_offset({.ns = 1'700'000'000'000'000'000});
    pipeline.on_target(target_of(100, "shop"));
  }
  void send(testing::Request request, Duration cpu_wait = {}) {
    request.at += window_ * 10s;
    request.sequence = ++sequence_;
    pipeline.on_exchange(on_cpu(exchange_of(request), cpu_wait));
  }
  Explanation close() {
    const auto window = pipeline.close_window(kStart + ++window_ * 10s);
    return explainer.explain(window, std::vector<bool>(window.spans.size(), true));
  }
  static std::string text_of(const Explanation& explanation, Duration later = 1s) {
    const WallTime now{explanation.end.ns + static_cast<std::uint64_t>(later.count())};
    const auto text =
        explanation_text("{\"explanation\":" + explanation_json(explanation) + "}", now);
    return text ? *text : text.error().text;
  }

  Counters counters;
  RequestPipeline pipeline{{.id_seed = {1}, .time_spent = true}, counters};
  Explainer explainer;

 private:
  int window_ = 0;
  std::uint32_t sequence_ = 0;
};

TEST_F(Explained, ComparesTheSlowestWithTheOthers) {
  for (int i = 0; i < 200; ++i)
    send({.duration = 10ms});
  send({.duration = 400ms, .path = "/slow/17"}, 390ms);
  const auto explanation = close();
  ASSERT_EQ(explanation.slow.size(), 1u);
  const auto& slow = explanation.slow[0];
  EXPECT_EQ(slow.service, "shop");
  EXPECT_EQ(slow.operation, "GET 200");
  EXPECT_EQ(slow.requests, 201u);
  EXPECT_FALSE(slow.usual_s);
  EXPECT_NEAR(slow.max_s, 0.4, 1e-9);
  EXPECT_NEAR(slow.lost_s, 0.39, 1e-9);
  const auto text = text_of(explanation);
  EXPECT_THAT(text, HasSubstr("shop, server: GET 200\n    201 requests, mean 11.9 ms, p99 about"));
  EXPECT_THAT(text, HasSubstr("than others  1 of 201 took 400 ms, the others 10.0 ms: "
                              "100 % of the difference was spent waiting for a CPU"));
  EXPECT_THAT(text,
              HasSubstr("slowest      400 ms  /slow/17 (/slow/{id}) from 10.0.0.1:40000 at "));
  EXPECT_THAT(text, HasSubstr("  trace "));
  EXPECT_THAT(text, HasSubstr("why          98 % waiting for a CPU"));
  EXPECT_THAT(text, HasSubstr("No errors."));
}

TEST_F(Explained, ComparesWithWhatIsUsual) {
  for (int window = 0; window < 3; ++window) {
    for (int i = 0; i < 20; ++i)
      send({.duration = 10ms});
    EXPECT_EQ(close().slow.at(0).than_usual, "");
  }
  for (int i = 0; i < 20; ++i)
    send({.duration = 200ms}, 150ms);
  const auto explanation = close();
  const auto& slow = explanation.slow.at(0);
  EXPECT_NEAR(slow.usual_s.value_or(0), 0.01, 1e-9);
  EXPECT_NEAR(slow.lost_s, 20 * 0.19, 1e-9);
  EXPECT_EQ(slow.than_usual, "79 % of the difference was spent waiting for a CPU, 21 % on a CPU");
  EXPECT_THAT(text_of(explanation), HasSubstr("mean 200 ms (usually 10.0 ms)"));
}

TEST_F(Explained, WhatLostTheMostTimeComesFirst) {
  pipeline.on_target(target_of(200, "steady"));
  for (int i = 0; i < 500; ++i)
    send({.tgid = 200, .duration = 900ms});
  for (int i = 0; i < 50; ++i)
    send({.duration = 10ms});
  send({.duration = 300ms});
  const auto explanation = close();
  ASSERT_EQ(explanation.slow.size(), 2u);
  EXPECT_EQ(explanation.slow[0].service, "shop");
  EXPECT_EQ(explanation.slow[1].lost_s, 0);
}

TEST_F(Explained, ErrorsHaveABeginning) {
  send({.status = 503});
  send({});
  (void)close();
  send({});
  (void)close();  // a pause
  for (int window = 0; window < 2; ++window) {
    for (int i = 0; i < 4; ++i)
      send({.status = 503, .path = "/pay"});
    for (int i = 0; i < 12; ++i)
      send({});
    const auto explanation = close();
    ASSERT_EQ(explanation.failing.size(), 1u);
    const auto& failing = explanation.failing[0];
    EXPECT_EQ(failing.operation, "GET 503");
    EXPECT_EQ(failing.failed, 4u);
    EXPECT_EQ(failing.requests, 16u);
    EXPECT_EQ(failing.since.ns, kStart.ns + 1'700'000'020'000'000'000);
    ASSERT_TRUE(failing.example);
    EXPECT_EQ(failing.example->path, "/pay");
    EXPECT_THAT(text_of(explanation),
                HasSubstr(window == 0 ? "4 of 16 requests of the service, first seen in this window"
                                      : "4 of 16 requests of the service, in every window since "
                                        "2023-11-14 22:30:20Z (20 s)"));
  }
}

TEST_F(Explained, AnOldWindowIsCalledOld) {
  send({});
  const auto explanation = close();
  EXPECT_THAT(text_of(explanation, 20s), Not(HasSubstr("ago")));
  EXPECT_THAT(text_of(explanation, 300s), HasSubstr("That is 5 min ago: the agent is behind"));
}

// All processes of a service are one operation; a client's is told by whom it asks.
TEST_F(Explained, OperationsAreOfServices) {
  pipeline.on_target(target_of(101, "shop"));
  send({.tgid = 100});
  send({.tgid = 101});
  send({.tgid = 101, .role = Role::kClient});
  const auto explanation = close();
  ASSERT_EQ(explanation.slow.size(), 2u);
  EXPECT_EQ(explanation.slow[0].requests + explanation.slow[1].requests, 3u);
  EXPECT_THAT((std::vector{explanation.slow[0].operation, explanation.slow[1].operation}),
              UnorderedElementsAre("GET 200", "GET 200 to shop.example:80"));
  EXPECT_THAT(text_of(explanation), HasSubstr("Nothing was slower than usual"));
}

TEST_F(Explained, WithoutAccountsOnlyTheLengthIsTold) {
  RequestPipeline plain({.id_seed = {1}}, counters);
  plain.begin(kStart);
  plain.on_target(target_of(100, "shop"));
  for (std::uint32_t window = 1; window <= 4; ++window) {
    for (std::uint32_t i = 0; i < 10; ++i)
      plain.on_exchange(exchange_of({.at = 10s * window - 5s,
                                     .duration = window == 4 ? 500ms : 10ms,
                                     .sequence = window * 100 + i}));
    const auto explanation = explainer.explain(plain.close_window(kStart + 10s * window), {});
    if (window < 4) continue;
    EXPECT_NEAR(explanation.slow.at(0).lost_s, 4.9, 1e-9);
    EXPECT_EQ(explanation.slow.at(0).than_usual, "");
    EXPECT_THAT(text_of(explanation), HasSubstr("mean 500 ms (usually 10.0 ms)"));
    EXPECT_THAT(text_of(explanation), HasSubstr("no stored trace"));
  }
}

TEST_F(Explained, TellsTheFirstAndCountsTheRest) {
  for (std::uint32_t tgid = 1000; tgid < 1030; ++tgid) {
    pipeline.on_target(target_of(tgid, "service-" + std::to_string(tgid)));
    send({.tgid = tgid, .status = 500});
  }
  const auto explanation = close();
  EXPECT_EQ(explanation.slow.size(), Explainer::kMostTold);
  EXPECT_EQ(explanation.slow_left_out, 10u);
  EXPECT_EQ(explanation.failing_left_out, 10u);
  EXPECT_THAT(text_of(explanation), HasSubstr("and 25 more, see --json")) << "of errors";
}

TEST(Explainer, WhatFoundNoPlaceGetsOneLater) {
  // The first window of a series has its texts.
  const auto window_of = [](NameId first, std::size_t count, const char* path) {
    ClosedWindow window;
    for (auto name = first; name < first + count; ++name) {
      WindowSeries series{
          .uid = name, .key = {}, .delta = {}, .fine = {}, .accounts = {}, .exponential = {}};
      series.key.convention = Convention::kHttp;
      series.key.name = name;
      series.delta.add(0, 1'000'000);
      window.series.push_back(series);
      if (path != nullptr) window.names[name].assign(path + std::to_string(name));
    }
    return window;
  };
  Explainer explainer;
  static_cast<void>(explainer.explain(window_of(1, Explainer::kMaxOperations, "/early/"), {}));
  constexpr NameId kLate = 100'000;
  const auto before = explainer.explain(window_of(kLate, 1, "/late/"), {});
  EXPECT_TRUE(before.slow.empty());
  EXPECT_EQ(before.slow_left_out, 1u);
  for (std::uint32_t i = 0; i < Explainer::kForgottenAfter; ++i)
    static_cast<void>(explainer.explain(window_of(kLate, 1, nullptr), {}));
  const auto after = explainer.explain(window_of(kLate, 1, nullptr), {});
  ASSERT_EQ(after.slow.size(), 1u);
  EXPECT_EQ(after.slow_left_out, 0u);
  EXPECT_THAT(after.slow[0].operation, HasSubstr("/late/100000"));
}

TEST(ExplanationText, NothingObservedMovesTheCursor) {
  const auto text = explanation_text(
      R"({"explanation":{"slow":[{"service":"a\u001b[2Jb","end":"server","operation":"GET","requests":1,"lost_s":1,)"
      R"("slowest":{"path":"/\u0007x","why":"\u009b"}}]}})",
      {});
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(*text, Not(HasSubstr("\x07")));
  EXPECT_THAT(*text, HasSubstr("/\\x07x"));
}

TEST(ExplanationText, WhateverIsToldInstead) {
  for (const auto* told : {"", "[]", "{}", "nonsense", R"({"explanation":[]})"})
    EXPECT_FALSE(explanation_text(told, {})) << told;
  for (const auto* told :
       {R"({"explanation":{}})", R"({"explanation":{"slow":{}}})",
        R"({"explanation":{"slow":[1]}})",
        R"({"explanation":{"slow":[{}],"failing":[[],{"example":3}]}})",
        R"({"explanation":{"slow":[{"requests":-1,"usual_mean_s":"x","slowest":{}}]}})"})
    EXPECT_TRUE(explanation_text(told, {})) << told;
}

}  // namespace
}  // namespace exa
