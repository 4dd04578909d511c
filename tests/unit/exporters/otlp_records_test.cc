// Log records of requests, as a receiver with OpenTelemetry's own definitions gets them.
#include <gtest/gtest.h>

#include <chrono>

#include "exporters/otlp/make_otlp.h"
#include "tests/unit/exporters/otlp_sink.h"
#include "tests/unit/exporters/samples.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Counter = ExportCounter;
using Json = nlohmann::json;
namespace s = samples;

Json text_pair(const char* key, const char* value) {
  return {{"key", key}, {"value", {{"string_value", value}}}};
}

TEST(OtlpRecords, TellOfSpans) {
  OtlpSink sink;
  OtlpSignalSettings settings;
  settings.url = sink.url() + "/v1/logs";
  ExportCounters counters;
  auto made = make_otlp({.logs = settings, .omitted_from_logs = {"ratio"}}, counters, LogSink());
  ASSERT_TRUE(made.has_value()) << made.error().text;
  auto span = s::span(7);
  span.attributes.push_back({"error.type", std::string("503")});
  span.attributes.push_back({"exemplar.why", std::string("78 % of 250 ms asleep")});
  auto nameless = s::span(8);
  nameless.trace_id = {};
  nameless.span_id = {};
  nameless.status = SpanStatus::kUnset;
  ASSERT_EQ(made->records.at(0)->export_spans({span, nameless}, Clock::now() + 10s),
            SpanDelivery::kAcknowledged);
  const auto got = sink.query("/logs");
  ASSERT_EQ(got.size(), 2u);
  const Json expected = {
      {"time_unix_nano", "1700000000250000000"},
      {"observed_time_unix_nano", "1700000000250000000"},
      {"severity_number", 17},
      {"severity_text", "ERROR"},
      {"event_name", "exemplar_agent.request"},
      {"body", {{"string_value", "GET /items 503 took 250 ms, error 503: 78 % of 250 ms asleep"}}},
      {"attributes",
       {text_pair("http.request.method", "GET"),
        {{"key", "http.response.status_code"}, {"value", {{"int_value", "503"}}}},
        {{"key", "exemplar"}, {"value", {{"bool_value", true}}}},
        text_pair("error.type", "503"),
        text_pair("exemplar.why", "78 % of 250 ms asleep"),
        {{"key", "exemplar_agent.request.duration"}, {"value", {{"double_value", 0.25}}}}}},
      {"flags", 1},
      {"trace_id", "4bf92f3577b34da6a3ce929d0e0e4707"},
      {"span_id", "00f067aa0ba90207"}};
  EXPECT_EQ(got[0]["record"], expected);
  EXPECT_EQ(got[1]["record"]["severity_text"], "WARN");
  EXPECT_FALSE(got[1]["record"].contains("trace_id"));
  EXPECT_EQ(counters.get(Counter::kRecordsSent), 2u);
  EXPECT_EQ(counters.get(Counter::kSpansQueued), 0u) << "no span was";
}

}  // namespace
}  // namespace exa
