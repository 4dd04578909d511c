#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "agent/telemetry/self_metrics.h"
#include "exporters/console/safe_text.h"
#include "exporters/console/table_exporter.h"
#include "exporters/console/table_text.h"
#include "exporters/console/window_rows.h"
#include "tests/unit/exporters/samples.h"

namespace exa {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::FieldsAre;
using testing::HasSubstr;
using testing::Not;
namespace s = samples;

constexpr std::uint64_t kMs = 1'000'000;

WindowView view_of(const MetricBatch& batch, RowOrder order = RowOrder::kTime) {
  return WindowReader().read(batch, order);
}

// What the agent says of itself, made as the agent makes it.
ResourceMetrics account_of(const Counters& counters, const ExportCounters& exports = {}) {
  return self_metrics(s::resource("exemplar-agent"), counters, exports, {}, {}, {}, {});
}

Attributes answered(int status) {
  Attributes attributes = {{"http.request.method", std::string("GET")},
                           {"http.response.status_code", std::int64_t{status}}};
  if (status >= 500) attributes.push_back({"error.type", std::to_string(status)});
  return attributes;
}

RequestSeries requests_of(int status, bool at_client = false) {
  return {.at_client = at_client,
          .asked = "GET",
          .answered = std::to_string(status),
          .is_error = status >= 500};
}

HistogramPoint point_of(int status, std::vector<std::uint64_t> durations_ns,
                        std::vector<Exemplar> exemplars = {}) {
  return s::in_window(s::of_requests(s::histogram_point(answered(status), std::move(exemplars)),
                                     requests_of(status)),
                      std::move(durations_ns));
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

// Of a hundred requests of 1, 2 ... 100 ms.
HistogramPoint hundred() {
  std::vector<std::uint64_t> durations;
  for (std::uint64_t i = 1; i <= 100; ++i)
    durations.push_back(i * kMs);
  return point_of(200, durations);
}

TEST(WindowRows, TellTheQuantilesOfTheWindow) {
  const auto view = view_of(s::batch({s::duration_metric({hundred()})}));
  const auto& row = view.services.at(0).rows.at(0);
  EXPECT_EQ(quantile_ns(row, 0.5), 50 * kMs);
  EXPECT_EQ(quantile_ns(row, 0.9), 90 * kMs);
  EXPECT_EQ(quantile_ns(row, 0.99), 99 * kMs);
  EXPECT_EQ(quantile_ns(row, 1), 100 * kMs);
  EXPECT_EQ(quantile_ns(row, 0), 1 * kMs);
  EXPECT_EQ(row.count, 100u);
  EXPECT_EQ(row.max_ns, 100 * kMs);
}

TEST(WindowRows, AQuantileIsNoDurationThatWasNot) {
  auto point = s::of_requests(s::histogram_point(s::get_200()), requests_of(200));
  point.window = std::make_shared<const WindowShare>(WindowShare{.count = 1,
                                                                 .sum_ns = 100,
                                                                 .min_ns = 100,
                                                                 .max_ns = 100,
                                                                 .cells = {{103, 1}},
                                                                 .slowest = std::nullopt});
  const auto view = view_of(s::batch({s::duration_metric({point})}));
  EXPECT_EQ(quantile_ns(view.services.at(0).rows.at(0), 0.5), 100u);
}

TEST(WindowRows, ShowNothingOfSeriesThatCountedNothing) {
  const auto idle = s::of_requests(s::histogram_point(s::get_200()), requests_of(200));
  EXPECT_TRUE(view_of(s::batch({s::duration_metric({idle})})).services.empty());
}

TEST(WindowRows, AddSeriesOfOneRowAndCountErrors) {
  auto elsewhere = point_of(503, {7 * kMs, 9 * kMs});
  elsewhere.attributes.push_back({"http.route", std::string("/a")});
  auto first_byte = hundred();
  first_byte.requests = nullptr;  // another time of the same requests
  const auto asked_elsewhere = s::of_requests(point_of(503, {1 * kMs}), requests_of(503, true));
  const auto view =
      view_of(s::batch({s::duration_metric({point_of(503, {2 * kMs, 4 * kMs}), elsewhere}),
                        s::duration_metric({asked_elsewhere}, "db.operation.duration"),
                        s::duration_metric({first_byte}, "http.server.time_to_first_byte")}));
  ASSERT_EQ(view.services.size(), 1u);
  ASSERT_EQ(view.services[0].rows.size(), 2u);
  const auto& server = view.services[0].rows[0];
  EXPECT_EQ(server.side, "server");
  EXPECT_EQ(server.count, 4u);
  EXPECT_EQ(server.errors, 4u);
  EXPECT_EQ(server.max_ns, 9 * kMs);
  EXPECT_EQ(server.min_ns, 2 * kMs);
  EXPECT_EQ(quantile_ns(server, 0.5), 4 * kMs);
  EXPECT_EQ(view.services[0].rows[1].side, "client");
}

TEST(WindowRows, CellsOfHalfOfARowTellNoQuantiles) {
  auto uncounted = point_of(200, {300 * kMs});
  auto share = *uncounted.window;
  share.cells.clear();
  share.slowest.reset();
  uncounted.window = std::make_shared<const WindowShare>(share);
  const auto view = view_of(s::batch({s::duration_metric({hundred(), uncounted})}));
  const auto& row = view.services.at(0).rows.at(0);
  EXPECT_EQ(quantile_ns(row, 0.5), std::nullopt);
  EXPECT_EQ(row.max_ns, 300 * kMs) << "the maximum is exact all the same";
  EXPECT_FALSE(row.slowest) << "nobody knows which request that was";
}

TEST(WindowRows, TellLossesApartFromWhatIsLessKnown) {
  Counters counters;
  counters.add(Counter::kExchanges, 30);
  counters.add(Counter::kExchangesExcluded, 4);
  counters.add(Counter::kRecordsMalformed, 7);
  counters.add(Counter::kContextCut, 2);
  ExportCounters exports;
  exports.add(ExportCounter::kSpansDroppedQueueFull, 5);
  auto batch = s::batch({});
  batch.resources.push_back(account_of(counters, exports));
  const auto view = view_of(batch);
  EXPECT_THAT(view.losses, ElementsAre(FieldsAre("export.spans_dropped{queue_full}", 5u),
                                       FieldsAre("records_dropped{malformed}", 7u)));
  EXPECT_THAT(view.degraded, ElementsAre(FieldsAre("heads_cut{context}", 2u)));
}

TEST(WindowRows, LossesAreThoseSinceTheBatchBefore) {
  WindowReader reader;
  Counters counters;
  const auto lost_besides = [&](std::uint64_t count) {
    counters.add(Counter::kRecordsMalformed, count);
    auto batch = s::batch({});
    batch.resources.push_back(account_of(counters));
    return reader.read(batch, RowOrder::kTime).losses;
  };
  EXPECT_EQ(lost_besides(7).at(0).count, 7u);
  EXPECT_TRUE(lost_besides(0).empty());
  EXPECT_EQ(lost_besides(3).at(0).count, 3u);
}

TEST(WindowRows, StandByServiceInTheOrderAskedFor) {
  auto batch = s::batch(
      {s::duration_metric({point_of(200, {1 * kMs, 1 * kMs, 1 * kMs}), point_of(500, {2 * kMs})})});
  batch.resources.push_back({.resource = s::resource("admin"),
                             .metrics = {s::duration_metric({point_of(200, {90 * kMs})})}});
  const auto first = [&](RowOrder order) {
    const auto view = view_of(batch, order);
    return view.services.at(0).service + " " + view.services[0].rows[0].status;
  };
  EXPECT_EQ(first(RowOrder::kTime), "shop/admin 200");
  EXPECT_EQ(first(RowOrder::kMax), "shop/admin 200");
  EXPECT_EQ(first(RowOrder::kP99), "shop/admin 200");
  EXPECT_EQ(first(RowOrder::kRate), "shop/checkout 200");
  EXPECT_EQ(first(RowOrder::kErrors), "shop/checkout 500");
  EXPECT_EQ(first(RowOrder::kName), "shop/admin 200");
}

MetricBatch busy_window() {
  auto of_caller =
      point_of(200, {1750 * kMs, 233 * kMs},
               {s::exemplar(1.75, 8, 5, ExemplarReason::kSlowest), s::exemplar(0.233, 7)});
  auto share = *of_caller.window;
  share.slowest->trace_id = s::trace_id(8);
  share.slowest->why = "98 % waiting for requests that it made";
  of_caller.window = std::make_shared<const WindowShare>(share);
  Counters counters;
  counters.add(Counter::kRecordsMalformed, 7);
  counters.add(Counter::kHeadTooLong, 1);
  auto batch = s::batch({s::duration_metric(
      {of_caller,
       point_of(503, {288'000}, {s::exemplar(0.000288, 9, 5, ExemplarReason::kError)})})});
  batch.resources.push_back(account_of(counters));
  return batch;
}

TEST(Table, ReadsWell) {
  EXPECT_EQ(
      table_text(view_of(busy_window()), {}),
      "2023-11-14 22:13:30Z  10.0 s, 3 requests, 1 errors\n"
      "SERVICE        SIDE    METHOD  STATUS  RATE/S      P50      P90      P99      MAX  ERRORS\n"
      "shop/checkout  server  GET     200        0.2   233 ms   1.75 s   1.75 s   1.75 s       0\n"
      "    slowest  1.75 s  22:13:23.120  from 10.0.0.1:40000  /users/4711 (/users/{id})  "
      "trace  4bf92f3577b34da6a3ce929d0e0e4708\n"
      "    why      98 % waiting for requests that it made\n"
      "               server  GET     503        0.1   288 us   288 us   288 us   288 us       1\n"
      "    slowest  288 us  22:13:23.120  from 10.0.0.1:40000  /users/4711 (/users/{id})\n"
      "    error  288 us  trace  4bf92f3577b34da6a3ce929d0e0e4709\n"
      "lost in this window: records_dropped{malformed} 7\n"
      "degraded in this window: heads_cut{budget} 1\n");
}

TEST(Table, NoLineIsWiderThanTheTerminal) {
  auto batch = busy_window();
  batch.resources[0].resource =
      s::resource("a-service-with-a-name-that-no-terminal-would-ever-have-room-for");
  for (const std::size_t columns : {60u, 80u, 120u, 200u}) {
    const auto text = table_text(view_of(batch), {.columns = columns});
    for (const auto& line : lines_of(text))
      EXPECT_LE(columns_of(line), columns) << line;
    EXPECT_THAT(text, HasSubstr("4bf92f3577b34da6a3ce929d0e0e4708")) << "ids are never cut";
    EXPECT_THAT(text, HasSubstr("4bf92f3577b34da6a3ce929d0e0e4709"));
    EXPECT_THAT(text, HasSubstr(" P99 "));
    EXPECT_THAT(text, HasSubstr(" MAX"));
    EXPECT_THAT(text, HasSubstr(columns < 80 ? "/us" : "/users/"));
  }
}

TEST(Table, NorWithANameInWideCharacters) {
  auto batch = busy_window();
  batch.resources[0].resource =
      s::resource("注文サービス-production-eu-west-1-注文サービス-注文🚀");
  for (const std::size_t columns : {60u, 80u, 120u})
    for (const auto& line : lines_of(table_text(view_of(batch), {.columns = columns})))
      EXPECT_LE(columns_of(line), columns) << line;
}

TEST(Table, AllColumnsFindRoomIn80) {
  auto batch = s::batch({s::duration_metric({hundred(), point_of(503, {4 * kMs})})});
  const auto lines = lines_of(table_text(view_of(batch), {.columns = 80}));
  EXPECT_EQ(lines.at(1),
            "SERVICE       SIDE   METHOD STATUS RATE/S     P50     P90     P99     MAX ERRORS");
  EXPECT_EQ(lines.at(2),
            "shop/checkout server GET    200      10.0 50.0 ms 90.0 ms 99.0 ms  100 ms      0");
}

TEST(Table, SaysWhyNoExemplarOpensATrace) {
  const auto batch = s::batch({s::duration_metric({hundred()})});
  EXPECT_THAT(table_text(view_of(batch), {.columns = 80}),
              HasSubstr("no exemplars: spans not exported, no caller sampled; set "
                        "--otlp-endpoint URL\n"));
  EXPECT_THAT(table_text(view_of(batch), {.columns = 80, .spans_exported = true}),
              HasSubstr("the trace backend acknowledged none of this window's spans\n"));
  EXPECT_THAT(table_text(view_of(busy_window()), {}), Not(HasSubstr("no exemplars")));
  EXPECT_THAT(table_text(view_of(s::batch({})), {}), Not(HasSubstr("no exemplars")));
}

TEST(Table, LetsNoTerminalSequencePass) {
  auto point =
      s::in_window(s::of_requests(s::histogram_point({}), {.asked = "G\x1b]0;owned\x07\nET",
                                                           .answered = "\xc2\x9b"
                                                                       "2J\xe2\x80\xae\xff"}),
                   {kMs});
  auto share = *point.window;
  share.slowest->path = "/\x1b[2J\n";
  share.slowest->route = "/\r";
  share.slowest->peer = "\x9bhost";
  point.window = std::make_shared<const WindowShare>(share);
  auto batch = s::batch({s::duration_metric({point})});
  batch.resources[0].resource = s::resource("evil\x1b[2J\r\nservice");
  const auto text = table_text(view_of(batch), {});
  for (const char c : text)
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5);
  EXPECT_THAT(text, Not(HasSubstr("\xc2\x9b")));
  EXPECT_THAT(text, Not(HasSubstr("\xe2\x80\xae")));
  EXPECT_THAT(text, HasSubstr("evil\\x1b[2J\\x0d\\x0aservice"));
}

MetricBatch thirty_rows() {
  std::vector<HistogramPoint> points;
  for (int status = 200; status < 230; ++status)
    points.push_back(point_of(status, {static_cast<std::uint64_t>(status) * kMs}));
  return s::batch({s::duration_metric(points)});
}

TEST(Table, ShowsTheLargestRowsAndEndsWithTheRest) {
  const auto text = table_text(view_of(thirty_rows()), {.rows = 3});
  EXPECT_THAT(text, HasSubstr(" 229 "));
  EXPECT_THAT(text, HasSubstr(" 227 "));
  EXPECT_THAT(text, Not(HasSubstr(" 226 ")));
  EXPECT_THAT(text, EndsWith("... 27 more rows with 27 requests\n"));
}

TEST(Table, FillsATerminalAndNoMore) {
  for (const std::size_t lines : {10u, 24u, 50u}) {
    const auto text = table_text(view_of(thirty_rows()), {.columns = 80, .lines = lines});
    EXPECT_LT(lines_of(text).size(), lines);
    EXPECT_THAT(text, HasSubstr(" more rows with "));
  }
}

TEST(Table, IsRedrawnInItsPlace) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  TableExporter table(std::make_shared<WaitingOutput>(ends[1]), {},
                      [] { return TerminalSize{.columns = 80, .lines = 24}; });
  const auto written = [&] {
    table.export_metrics(std::make_shared<const MetricBatch>(busy_window()));
    std::string text(65536, '\0');
    text.resize(static_cast<std::size_t>(::read(ends[0], text.data(), text.size())));
    return text;
  };
  EXPECT_TRUE(written().starts_with(std::string(24, '\n') + "\x1b[H2023-11-14"))
      << "the first one leaves what stood there above";
  const auto again = written();
  EXPECT_TRUE(again.starts_with("\x1b[H2023-11-14"));
  EXPECT_TRUE(again.ends_with("\x1b[K\n\x1b[J"));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Table, AsksColumnsWhereThereIsNoTerminal) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::setenv("COLUMNS", "132", 1);
  EXPECT_EQ(terminal_size(ends[1]).columns, 132u);
  EXPECT_EQ(terminal_size(ends[1]).lines, 0u);
  ::unsetenv("COLUMNS");
  EXPECT_EQ(terminal_size(ends[1]).columns, 0u);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace exa
