#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include <nlohmann/json.hpp>

#include "exporters/console/json_exporter.h"
#include "exporters/console/safe_text.h"
#include "exporters/console/table_exporter.h"
#include "tests/unit/exporters/samples.h"

namespace exa {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
namespace s = samples;

DeltaRow row_of(std::vector<std::uint64_t> buckets, double low, double high) {
  DeltaRow row;
  row.bounds = std::make_shared<const std::vector<double>>(std::vector<double>{0.1, 0.5, 1});
  for (const auto n : buckets)
    row.count += n;
  row.buckets = std::move(buckets);
  row.lowest_seconds = low;
  row.highest_seconds = high;
  return row;
}

TEST(Quantile, IsLinearWithinItsBucket) {
  const auto row = row_of({10, 10, 0, 0}, 0, 0.5);
  EXPECT_DOUBLE_EQ(estimate_quantile(row, 0.5), 0.1);
  EXPECT_DOUBLE_EQ(estimate_quantile(row, 0.75), 0.3);
  EXPECT_DOUBLE_EQ(estimate_quantile(row, 1), 0.5);
}

TEST(Quantile, StaysWithinWhatTheDurationsCanBe) {
  const auto row = row_of({0, 0, 0, 4}, 1.5, 2.5);
  EXPECT_DOUBLE_EQ(estimate_quantile(row, 0), 1.5);
  EXPECT_DOUBLE_EQ(estimate_quantile(row, 0.5), 2.0);
  EXPECT_DOUBLE_EQ(estimate_quantile(row, 1), 2.5);
  EXPECT_DOUBLE_EQ(estimate_quantile(row_of({5, 0, 0, 0}, 0.002, 0.004), 0.99), 0.00398);
  EXPECT_EQ(estimate_quantile(row_of({0, 0, 0, 0}, 0, 0), 0.5), 0);
}

TEST(WindowDelta, CountsOnlyWhatIsNew) {
  DeltaTracker tracker;
  auto point = s::histogram_point(s::get_200());
  ASSERT_EQ(tracker.advance(s::batch({s::duration_metric({point})})).rows.at(0).count, 10u);
  point.count = 13;
  point.sum += 0.9;
  point.bucket_counts = {4, 6, 2, 1};
  const auto window = tracker.advance(s::batch({s::duration_metric({point})}));
  ASSERT_EQ(window.rows.size(), 1u);
  EXPECT_EQ(window.rows[0].count, 3u);
  EXPECT_NEAR(window.rows[0].sum_seconds, 0.9, 1e-9);
  EXPECT_THAT(window.rows[0].buckets, ElementsAre(0, 3, 0, 0));
  EXPECT_EQ(window.rows[0].lowest_seconds, 0.1);
  EXPECT_EQ(window.rows[0].highest_seconds, 0.5);
  EXPECT_TRUE(tracker.advance(s::batch({s::duration_metric({point})})).rows.empty());
}

TEST(WindowDelta, BeginsAgainWithANewStart) {
  DeltaTracker tracker;
  auto point = s::histogram_point(s::get_200());
  tracker.advance(s::batch({s::duration_metric({point})}));
  point.start = {s::kEpoch};
  EXPECT_EQ(tracker.advance(s::batch({s::duration_metric({point})})).rows.at(0).count, 10u);
}

TEST(WindowDelta, KnowsTheMaximumFromTheSlowestExemplar) {
  DeltaTracker tracker;
  const auto window = tracker.advance(s::batch({s::duration_metric(
      {s::histogram_point(s::get_200(), {s::exemplar(1.25, 1, 5, ExemplarReason::kSlowest)})})}));
  EXPECT_EQ(window.rows.at(0).highest_seconds, 1.25);
}

TEST(WindowDelta, AddsSeriesOfOneRowAndCountsErrors) {
  DeltaTracker tracker;
  Attributes failed = {{"http.request.method", std::string("GET")},
                       {"http.response.status_code", std::int64_t{503}},
                       {"error.type", std::string("503")}};
  Attributes elsewhere = failed;
  elsewhere.push_back({"http.route", std::string("/a")});
  auto queue =
      s::duration_metric({s::histogram_point({})}, "exemplar_agent.http.server.queue.duration");
  const auto window = tracker.advance(
      s::batch({s::duration_metric({s::histogram_point(failed), s::histogram_point(elsewhere)}),
                s::duration_metric({s::histogram_point(failed)}, "http.client.request.duration"),
                queue, s::counter_metric("exemplar_agent_records_dropped_total", 7, "malformed"),
                s::counter_metric("exemplar_agent_exchanges_total", 30, "")}));
  ASSERT_EQ(window.rows.size(), 2u);
  EXPECT_EQ(window.rows[0].side, "server");
  EXPECT_EQ(window.rows[0].count, 20u);
  EXPECT_EQ(window.rows[0].errors, 20u);
  EXPECT_EQ(window.rows[1].side, "client");
  ASSERT_EQ(window.losses.size(), 1u);
  EXPECT_EQ(window.losses[0].name, "records_dropped{malformed}");
  EXPECT_EQ(window.losses[0].count, 7u);
}

TEST(Table, ReadsWell) {
  DeltaTracker tracker;
  const auto text = table_text(
      tracker.advance(
          s::batch({s::duration_metric({s::histogram_point(
                        s::get_200(), {s::exemplar(0.25, 7),
                                       s::exemplar(1.75, 8, 5, ExemplarReason::kSlowest)})}),
                    s::counter_metric("exemplar_agent_records_dropped_total", 7, "malformed")})),
      {});
  EXPECT_EQ(text,
            "2023-11-14 22:13:30Z  10.0 s, 10 requests, 0 errors\n"
            "SERVICE     SIDE    METHOD  STATUS     RATE/S       P50       P90       P99       MAX "
            " ERRORS\n"
            "checkout    server  GET     200           1.0    233 ms    1.00 s    1.68 s    1.75 s "
            "      0\n"
            "    slowest   1.75 s  4bf92f3577b34da6a3ce929d0e0e4708   "
            "bucket    250 ms  4bf92f3577b34da6a3ce929d0e0e4707\n"
            "lost in this window: records_dropped{malformed} 7\n\n");
}

TEST(Table, LetsNoTerminalSequencePass) {
  DeltaTracker tracker;
  auto batch = s::batch({s::duration_metric(
      {s::histogram_point({{"http.request.method", std::string("G\x1b]0;owned\x07\nET")},
                           {"error.type", std::string("\xc2\x9b"
                                                      "2J\xe2\x80\xae\xff")}})})});
  batch.resources[0].resource = s::resource("evil\x1b[2J\r\nservice");
  const auto text = table_text(tracker.advance(batch), {.colours = false});
  for (const char c : text)
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
  EXPECT_THAT(text, Not(HasSubstr("\xc2\x9b")));
  EXPECT_THAT(text, Not(HasSubstr("\xe2\x80\xae")));
  EXPECT_THAT(text, HasSubstr("evil\\x1b[2J\\x0d\\x0aservice"));
}

TEST(Table, ShowsTheLargestRowsAndSumsTheRest) {
  DeltaTracker tracker;
  std::vector<HistogramPoint> points;
  for (int status = 200; status < 230; ++status) {
    points.push_back(s::histogram_point({{"http.response.status_code", std::int64_t{status}}}));
    points.back().sum = status;
  }
  const auto text =
      table_text(tracker.advance(s::batch({s::duration_metric(points)})), {.rows = 3});
  EXPECT_THAT(text, HasSubstr(" 229 "));
  EXPECT_THAT(text, HasSubstr(" 227 "));
  EXPECT_THAT(text, Not(HasSubstr(" 226 ")));
  EXPECT_THAT(text, HasSubstr("and 27 more rows with 270 requests\n"));
}

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
  EXPECT_EQ(json["status"], "ERROR");
  EXPECT_EQ(json["resource"]["process.pid"], 4711);
}

TEST(Json, WritesAWindowAndItsHistogramsInOneOrder) {
  const auto a = s::histogram_point(s::get_200(), {s::exemplar(0.25, 7)});
  const auto b = s::histogram_point({{"http.request.method", std::string("POST")}});
  const auto counter = s::counter_metric("exemplar_agent_exchanges_total", 30, "");
  const auto text = batch_json(s::batch({s::duration_metric({a, b}), counter}));
  EXPECT_EQ(text, batch_json(s::batch({counter, s::duration_metric({b, a})})));
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
  JsonSpanExporter good(std::make_shared<LineOutput>(ends[1]), &counters);
  EXPECT_EQ(good.export_spans(s::spans(2), {}), SpanDelivery::kAcknowledged);
  char bytes[4096];
  EXPECT_GT(::read(ends[0], bytes, sizeof(bytes)), 0);
  EXPECT_EQ(counters.get(ExportCounter::kSpansSent), 2u);
  ::close(ends[0]);
  ::close(ends[1]);
  const int full = ::open("/dev/full", O_WRONLY);
  JsonSpanExporter bad(std::make_shared<LineOutput>(full), &counters);
  EXPECT_EQ(bad.export_spans(s::spans(2), {}), SpanDelivery::kDropped);
  EXPECT_EQ(counters.get(ExportCounter::kSpansQueued), 4u);
  EXPECT_EQ(counters.get(ExportCounter::kSpansDroppedRefused), 2u);
  ::close(full);
}

TEST(SafeText, CutsByColumnsNotBytes) {
  EXPECT_EQ(fitted("ééééé", 5), "ééééé");
  EXPECT_EQ(fitted("éééééé", 5), "éééé…");
  EXPECT_EQ(terminal_safe("plain é 漢"), "plain é 漢");
}

}  // namespace
}  // namespace exa
