#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include <nlohmann/json.hpp>

#include "exporters/console/json_exporter.h"
#include "exporters/console/make_console.h"
#include "exporters/console/safe_text.h"
#include "tests/unit/exporters/samples.h"

namespace exa {
namespace {

using testing::HasSubstr;
namespace s = samples;

TEST(Json, WritesASpan) {
  const auto json = nlohmann::json::parse(span_json(s::span(7)));
  EXPECT_EQ(json["type"], "span");
  EXPECT_EQ(json["service"], "checkout");
  EXPECT_EQ(json["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4707");
  EXPECT_EQ(json["parent_span_id"], "00f067aa0ba902c8");
  EXPECT_EQ(json["kind"], "SERVER");
  EXPECT_EQ(json["start_unix_ns"], s::kEpoch);
  EXPECT_EQ(json["end_unix_ns"], s::kEpoch + 250'000'000);
  EXPECT_EQ(json["attributes"]["http.response.status_code"], 503);
  EXPECT_EQ(json["attributes"]["exemplar"], true);
  EXPECT_EQ(json["events"][0]["name"], "first byte");
  EXPECT_EQ(json["events"][0]["unix_ns"], s::kEpoch + 200'000'000);
  EXPECT_EQ(json["status"], "ERROR");
  EXPECT_EQ(json["resource"]["process.pid"], 4711);
}

TEST(Json, WritesAWindowAndItsHistogramsInOneOrder) {
  const auto a = s::histogram_point(s::get_200(), {s::exemplar(0.25, 7)});
  const auto b = s::histogram_point({{"http.request.method", std::string("POST")}});
  const auto counter = s::counter_metric("exemplar_agent_exchanges_total", 30, "");
  // What the agent counts of itself depends on the machine.
  const auto with_own = [&](MetricBatch batch) {
    batch.resources.push_back({.resource = nullptr, .metrics = {counter}, .of_agent = true});
    return batch;
  };
  const auto text = batch_json(with_own(s::batch({s::duration_metric({a, b})})));
  EXPECT_EQ(text, batch_json(with_own(s::batch({s::duration_metric({b, a})}))));
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, R"({"type":"window","start_unix_ns":1700000000000000000,)"
                  R"("end_unix_ns":1700000010000000000})");
  std::getline(lines, line);
  EXPECT_EQ(line,
            R"({"type":"histogram","metric":"http.server.request.duration","service":"checkout",)"
            R"("resource":{"service.name":"checkout","service.namespace":"shop",)"
            R"("service.instance.id":"checkout-1","process.pid":4711},)"
            R"("attributes":{"http.request.method":"GET","http.response.status_code":200},)"
            R"("count":10,"sum":4.5,"min":0.002,"max":1.75,"bounds":[0.1,0.5,1.0],)"
            R"("bucket_counts":[4,3,2,1],"exemplars":[{"value":0.25,)"
            R"("time_unix_ns":1700000005000000000,)"
            R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4707","span_id":"00f067aa0ba90207",)"
            R"("reason":"bucket"}]})");
  std::getline(lines, line);
  EXPECT_THAT(line, HasSubstr("POST"));
  EXPECT_FALSE(std::getline(lines, line)) << line;
}

TEST(Json, ReplacesInvalidUtf8) {
  Span span = s::span(7);
  span.name = "a\xff\n";
  EXPECT_EQ(nlohmann::json::parse(span_json(span))["name"], "a\uFFFD\n");
}

TEST(Json, AcknowledgesOnceWritten) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ExportCounters counters;
  JsonSpanExporter good(std::make_shared<WaitingOutput>(ends[1]), &counters);
  EXPECT_EQ(good.export_spans(s::spans(2), {}), SpanDelivery::kAcknowledged);
  char bytes[4096];
  EXPECT_GT(::read(ends[0], bytes, sizeof(bytes)), 0);
  EXPECT_EQ(counters.get(ExportCounter::kSpansSent), 2u);
  ::close(ends[0]);
  ::close(ends[1]);
  const int full = ::open("/dev/full", O_WRONLY);
  JsonSpanExporter bad(std::make_shared<WaitingOutput>(full), &counters);
  EXPECT_EQ(bad.export_spans(s::spans(2), {}), SpanDelivery::kDropped);
  EXPECT_EQ(counters.get(ExportCounter::kSpansQueued), 4u);
  EXPECT_EQ(counters.get(ExportCounter::kSpansDroppedRefused), 2u);
  ::close(full);
}

TEST(Console, PrintsInTheFormAskedForAndTellsOfItsFailure) {
  ExportCounters counters;
  const int full = ::open("/dev/full", O_WRONLY);
  auto json = make_console({.form = ConsoleForm::kJson, .live = false, .fd = full}, counters, {});
  ASSERT_EQ(json.spans.size(), 1u);
  ASSERT_EQ(json.metrics.size(), 1u);
  EXPECT_EQ(json.failure(), 0);
  EXPECT_EQ(json.spans[0]->export_spans(s::spans(2), {}), SpanDelivery::kDropped);
  EXPECT_EQ(json.failure(), ENOSPC);
  EXPECT_EQ(counters.get(ExportCounter::kSpansQueued), 2u);

  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  auto beside = make_console(
      {.form = ConsoleForm::kJson, .live = false, .counts_spans = false, .fd = ends[1]}, counters,
      {});
  EXPECT_EQ(beside.spans[0]->export_spans(s::spans(2), {}), SpanDelivery::kAcknowledged);
  EXPECT_EQ(counters.get(ExportCounter::kSpansQueued), 2u) << "another exporter counts them";
  auto table = make_console({.fd = ends[1]}, counters, {});
  EXPECT_TRUE(table.spans.empty());
  table.metrics.at(0)->export_metrics(std::make_shared<const MetricBatch>());
  EXPECT_EQ(table.failure(), 0);
  for (const int fd : {full, ends[0], ends[1]})
    ::close(fd);
}

TEST(SafeText, CutsByColumnsNotBytes) {
  EXPECT_EQ(columns_of("注文🚀"), 6u);
  EXPECT_EQ(columns_of("e\u0301"), 1u) << "the accent joins the letter";
  EXPECT_EQ(fitted("注文サービス", 7), "注文サ…");
  EXPECT_EQ(fitted("注文サービス", 6), "注文…");
  EXPECT_EQ(fitted("ééééé", 5), "ééééé");
  EXPECT_EQ(fitted("éééééé", 5), "éééé…");
  EXPECT_EQ(terminal_safe("plain é 漢"), "plain é 漢");
}

}  // namespace
}  // namespace exa
