#include "exporters/openmetrics/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "exporters/openmetrics/names.h"
#include "tests/support/openmetrics_grammar.h"
#include "tests/unit/exporters/samples.h"
#include "tests/unit/exporters/subprocess.h"

namespace exa {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::Optional;
namespace s = samples;

std::string openmetrics(const MetricBatch& batch) {
  ExemplarShelf shelf;
  shelf.add(batch);
  return render_openmetrics(batch, shelf.show()).text;
}

// Prometheus' own python parser: a list of families, or the parser's complaint.
nlohmann::json parsed(const std::string& text) {
  static const std::string kProgram = R"(
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
text = sys.stdin.buffer.read().decode("utf-8")
print(json.dumps([{"name": f.name, "type": f.type, "unit": f.unit, "help": f.documentation,
  "samples": [{"name": s.name, "labels": s.labels, "value": repr(float(s.value)),
    "exemplar": s.exemplar and {"labels": s.exemplar.labels, "value": s.exemplar.value,
                                "time": float(s.exemplar.timestamp)}} for s in f.samples]}
  for f in text_string_to_metric_families(text)])))";
  const auto ended = run({EXA_TEST_PYTHON, "-c", kProgram}, text);
  EXPECT_EQ(ended.code, 0) << ended.output << "\nof\n"
                           << text << "\n(scripts/setup makes the python environment)";
  return nlohmann::json::parse(ended.output, nullptr, false);
}

TEST(OpenMetricsWriter, WritesWhatThePageSays) {
  const auto batch = s::batch({s::duration_metric(
      {s::histogram_point(s::get_200(), {s::exemplar(0.25, 7), s::exemplar(1.75, 8)})})});
  const std::string labels =
      "{job=\"shop/checkout\",instance=\"checkout-1\",http_request_method=\"GET\","
      "http_response_status_code=\"200\"";
  EXPECT_EQ(openmetrics(batch),
            "# TYPE target info\n"
            "# HELP target What is known about each target.\n"
            "target_info{job=\"shop/checkout\",instance=\"checkout-1\",process_pid=\"4711\"} 1\n"
            "# TYPE http_server_request_duration_seconds histogram\n"
            "# UNIT http_server_request_duration_seconds seconds\n"
            "# HELP http_server_request_duration_seconds Duration of HTTP requests.\n"
            "http_server_request_duration_seconds_bucket" +
                labels +
                ",le=\"0.1\"} 4\n"
                "http_server_request_duration_seconds_bucket" +
                labels +
                ",le=\"0.5\"} 7 "
                "# {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4707\",span_id=\"00f067aa0ba90207\"} "
                "0.25 1700000005.000\n"
                "http_server_request_duration_seconds_bucket" +
                labels +
                ",le=\"1.0\"} 9\n"
                "http_server_request_duration_seconds_bucket" +
                labels +
                ",le=\"+Inf\"} 10 "
                "# {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4708\",span_id=\"00f067aa0ba90208\"} "
                "1.75 1700000005.000\n"
                "http_server_request_duration_seconds_count" +
                labels +
                "} 10\n"
                "http_server_request_duration_seconds_sum" +
                labels +
                "} 4.5\n"
                "# EOF\n");
}

TEST(OpenMetricsWriter, IsReadByPrometheusOwnParser) {
  auto batch =
      s::batch({s::duration_metric({s::histogram_point(s::get_200(), {s::exemplar(0.25, 7)})}),
                s::counter_metric("exemplar_agent_records_dropped_total", 12, "malformed"),
                s::gauge_metric("exemplar_agent.memory", 1.5e9)});
  batch.resources.push_back({.resource = s::resource("cart", "cart-1"),
                             .metrics = {s::duration_metric({s::histogram_point(s::get_200())})}});
  const auto families = parsed(openmetrics(batch));
  ASSERT_EQ(families.size(), 4u);
  EXPECT_EQ(families[0]["name"], "target");
  EXPECT_EQ(families[0]["samples"].size(), 2u);
  EXPECT_EQ(families[1]["name"], "http_server_request_duration_seconds");
  EXPECT_EQ(families[1]["unit"], "seconds");
  EXPECT_EQ(families[1]["samples"].size(), 12u) << "both services in one family";
  EXPECT_EQ(families[1]["samples"][1]["exemplar"]["labels"]["trace_id"],
            "4bf92f3577b34da6a3ce929d0e0e4707");
  EXPECT_EQ(families[1]["samples"][1]["exemplar"]["value"], 0.25);
  EXPECT_EQ(families[2]["name"], "exemplar_agent_records_dropped");
  EXPECT_EQ(families[2]["samples"][0]["name"], "exemplar_agent_records_dropped_total");
  EXPECT_EQ(families[3]["name"], "exemplar_agent_memory_bytes");
  EXPECT_EQ(families[3]["samples"][0]["value"], "1500000000.0");
}

TEST(OpenMetricsWriter, CarriesHostileTextUnharmed) {
  const std::vector<std::string> hostile = {"quote\" and \\ and \n newline",
                                            "# EOF\n",
                                            "\"} 1\nforged_total 99\n#",
                                            "\\n",
                                            "\\\"",
                                            "a,b=\"c\"",
                                            "\x1b[31mred\x1b[0m",
                                            "tab\tand\rreturn",
                                            "caf\xc3\xa9",
                                            std::string("\0nul", 4),
                                            "} # {",
                                            std::string(5'000, 'x')};
  std::vector<HistogramPoint> points;
  for (const auto& text : hostile)
    points.push_back(s::histogram_point({{"v", text}}));
  const auto families = parsed(openmetrics(s::batch({s::duration_metric(points)})));
  ASSERT_EQ(families.size(), 2u);
  const auto& samples = families[1]["samples"];
  ASSERT_EQ(samples.size(), hostile.size() * 6);
  for (std::size_t i = 0; i < hostile.size(); ++i)
    EXPECT_EQ(samples[i * 6]["labels"]["v"], hostile[i]);
}

TEST(OpenMetricsWriter, RepairsTextThatIsNotUtf8) {
  const auto families = parsed(openmetrics(
      s::batch({s::duration_metric({s::histogram_point({{"v", std::string("a\xff\xfe"
                                                                          "b\xed\xa0\x80")}})})})));
  EXPECT_EQ(families[1]["samples"][0]["labels"]["v"],
            "a\uFFFD\uFFFD"
            "b\uFFFD\uFFFD\uFFFD");
}

TEST(OpenMetricsWriter, TextFormatPassesPromtool) {
  const auto batch =
      s::batch({s::duration_metric({s::histogram_point(s::get_200(), {s::exemplar(0.25, 7)})}),
                s::counter_metric("exemplar_agent_records_dropped_total", 12, "a\"b\\c\nd"),
                s::gauge_metric("exemplar_agent.memory", 1.5e9)});
  const Rendered rendered = render_text(batch);
  EXPECT_THAT(rendered.text, Not(HasSubstr("trace_id")));
  EXPECT_THAT(rendered.text, Not(HasSubstr("# EOF")));
  EXPECT_THAT(rendered.text, HasSubstr("# TYPE exemplar_agent_records_dropped_total counter\n"));
  EXPECT_EQ(rendered.exemplars_omitted, 1u);
  const auto ended = run({"promtool", "check", "metrics"}, rendered.text);
  EXPECT_EQ(ended.code, 0) << ended.output;
}

TEST(OpenMetricsWriter, ShowsAnEmptyBatchAsEmpty) {
  EXPECT_EQ(openmetrics({}), "# EOF\n");
  EXPECT_EQ(render_text({}).text, "");
}

TEST(OpenMetricsWriter, JoinsLabelsThatBecomeOneName) {
  const auto families = parsed(openmetrics(
      s::batch({s::duration_metric({s::histogram_point({{"a.b", std::string("1")},
                                                        {"a_b", std::string("2")},
                                                        {"le", std::string("x")},
                                                        {"job", std::string("y")},
                                                        {"9", std::string("z")},
                                                        {"__name__", std::string("w")}})})})));
  const auto& labels = families[1]["samples"][0]["labels"];
  EXPECT_EQ(labels["a_b"], "1;2");
  EXPECT_EQ(labels["exported_le"], "x");
  EXPECT_EQ(labels["exported_job"], "y");
  EXPECT_EQ(labels["job"], "shop/checkout");
  EXPECT_EQ(labels["_9"], "z");
  EXPECT_EQ(labels["key__name__"], "w");
}

// A process that runs another program under its name: another resource of the same identity.
TEST(OpenMetricsWriter, ShowsTheLaterOfTwoTargetsOfOneIdentity) {
  auto earlier = s::histogram_point(s::get_200());
  auto only_earlier = s::histogram_point({{"http.request.method", std::string("PUT")}});
  auto later = s::histogram_point(s::get_200());
  later.bucket_counts = {1, 0, 0, 0};
  MetricBatch batch;
  batch.resources = {
      {.resource = s::resource(), .metrics = {s::duration_metric({earlier, only_earlier})}},
      {.resource = s::resource("other"), .metrics = {s::duration_metric({earlier})}},
      {.resource = std::make_shared<const Resource>(
           Resource{{{"service.name", std::string("checkout")},
                     {"service.namespace", std::string("shop")},
                     {"service.instance.id", std::string("checkout-1")},
                     {"process.executable.name", std::string("checkoutd")}}}),
       .metrics = {s::duration_metric({later})}}};
  std::vector<test::OpenMetricsGrammar::Sample> samples;
  EXPECT_EQ(test::OpenMetricsGrammar::fault_of(openmetrics(batch), &samples), std::nullopt);
  EXPECT_EQ(samples.size(), 2u + 3 * (4 + 2));
  for (const auto& text : {openmetrics(batch), render_text(batch).text}) {
    EXPECT_THAT(text, HasSubstr("target_info{job=\"shop/checkout\",instance=\"checkout-1\","
                                "process_executable_name=\"checkoutd\"} 1\n"));
    const std::string checkout =
        "_count{job=\"shop/checkout\",instance=\"checkout-1\","
        "http_request_method=";
    EXPECT_THAT(text, HasSubstr(checkout + "\"GET\",http_response_status_code=\"200\"} 1\n"));
    EXPECT_THAT(text, HasSubstr(checkout + "\"PUT\"} 10\n"));
  }
}

TEST(OpenMetricsGrammar, FindsWhatIsWrong) {
  const std::string head = "# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n";
  const std::string sound =
      head +
      "a_seconds_bucket{x=\"\\\"\",le=\"1.0\"} 2 # {trace_id=\"ab\"} 0.5 1.000\n"
      "a_seconds_bucket{x=\"\\\"\",le=\"+Inf\"} 3\n"
      "a_seconds_count{x=\"\\\"\"} 3\na_seconds_sum{x=\"\\\"\"} 7\n# EOF\n";
  EXPECT_EQ(test::OpenMetricsGrammar::fault_of(sound), std::nullopt);
  const auto with = [&](const std::string& part, const std::string& instead) {
    auto text = sound;
    text.replace(text.find(part), part.size(), instead);
    return test::OpenMetricsGrammar::fault_of(text);
  };
  EXPECT_THAT(with("\n# EOF\n", "\n"), Optional(HasSubstr("no # EOF")));
  EXPECT_THAT(with("count{x=\"\\\"\"} 3", "count{x=\"\\\"\"} 4"),
              Optional(HasSubstr("not the last bucket")));
  EXPECT_THAT(with("} 3\n", "} 1\n"), Optional(HasSubstr("counts that fall")));
  EXPECT_THAT(with("0.5 1.000", "1.5 1.000"), Optional(HasSubstr("outside its bucket")));
  EXPECT_THAT(with("+Inf", "1.0"), Optional(HasSubstr("a series twice")));
  EXPECT_THAT(with("x=\"\\\"\"", "x=\"\\q\""), Optional(HasSubstr("bad labels")));
  EXPECT_THAT(with("x=", "9="), Optional(HasSubstr("bad labels")));
  EXPECT_THAT(with("seconds seconds", "seconds bytes"), Optional(HasSubstr("a unit that")));
  EXPECT_THAT(with("# EOF", "# TYPE b gauge\nb 1\n# TYPE a_seconds histogram\n# EOF"),
              Optional(HasSubstr("two places")));
  EXPECT_THAT(with("\"ab\"", "\"" + std::string(121, 'a') + "\""),
              Optional(HasSubstr("128 characters")));
}

TEST(OpenMetricsWriter, CountAgreesWithTheInfiniteBucket) {
  auto point = s::histogram_point(s::get_200());
  point.count = 999;  // a lie of the point cannot become two different counts
  const auto families = parsed(openmetrics(s::batch({s::duration_metric({point})})));
  EXPECT_EQ(families[1]["samples"][3]["value"], "10.0");
  EXPECT_EQ(families[1]["samples"][4]["value"], "10.0");
}

TEST(Names, WriteNumbersThatReadBackTheSame) {
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(1e300), "1e+300");
  EXPECT_EQ(number_text(std::nan("")), "NaN");
  EXPECT_EQ(number_text(-std::numeric_limits<double>::infinity()), "-Inf");
  EXPECT_EQ(bound_text(10), "10.0");
  EXPECT_EQ(bound_text(0.005), "0.005");
  EXPECT_EQ(bound_text(1e22), "1e+22");
}

TEST(Names, GiveUnitsTheirWordOnce) {
  EXPECT_EQ(family_name("http.server.request.duration", "s", false),
            "http_server_request_duration_seconds");
  EXPECT_EQ(family_name("process.uptime_seconds", "s", false), "process_uptime_seconds");
  EXPECT_EQ(family_name("exemplar_agent_exchanges_total", "", true), "exemplar_agent_exchanges");
  EXPECT_EQ(family_name("9 lives", "{cat}", false), "_9_lives");
}

}  // namespace
}  // namespace exa
