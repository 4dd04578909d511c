#include "tests/unit/reference/reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "agent/config/policy_text.h"
#include "agent/config/setting.h"
#include "agent/metrics/metric_table.h"
#include "agent/metrics/series_key.h"
#include "agent/request_pipeline/account_points.h"
#include "agent/telemetry/self_metrics.h"
#include "exa/base/overloaded.h"
#include "exporters/openmetrics/names.h"
#include "tests/unit/reference/default_of.h"
#include "tests/unit/reference/reference_texts.h"
#include "tests/unit/reference/span_attributes.h"

namespace exa::testing {
namespace {

std::string in_cell(std::string_view text) {
  std::string cell;
  for (const char c : text)
    cell += c == '|' ? std::string("\\|") : std::string(1, c);
  return cell;
}

std::string code(std::string_view text) {
  return text.empty() ? "" : "`" + in_cell(text) + "`";
}

std::string type_of(const Setting& setting) {
  const std::string value(setting.value_name);
  switch (setting.shape) {
    case SettingShape::kScalar:
      return value;
    case SettingShape::kList:
      return "[" + value + "]";
    case SettingShape::kMap:
      return "{" + value + "}";
  }
  return value;
}

const char* asked_by(MetricGroup group) {
  switch (group) {
    case MetricGroup::kAlways:
      return "";
    case MetricGroup::kBodySize:
      return " Only with `metrics.body_size`.";
    case MetricGroup::kActiveRequests:
      return " Only with `metrics.active_requests`.";
  }
  return "";
}

decltype(Metric::points) points_of(MetricShape shape) {
  if (shape == MetricShape::kUpDownCounter) return Sum{.points = {}, .monotonic = false};
  return Histogram{};
}

const char* kind_of(const Metric& metric) {
  return std::visit(Overloaded{
                        [](const Gauge&) { return "gauge"; },
                        [](const Sum& sum) { return sum.monotonic ? "counter" : "gauge"; },
                        [](const Histogram&) { return "histogram"; },
                    },
                    metric.points);
}

// "state, reason": what tells the points of one metric apart.
std::string labels_of_points(const Metric& metric) {
  std::string labels;
  std::visit(
      [&](const auto& points) {
        for (const auto& point : points.points)
          for (const auto& attribute : point.attributes)
            if (labels.find(attribute.key) == std::string::npos)
              labels += (labels.empty() ? "" : ", ") + attribute.key;
      },
      metric.points);
  return labels;
}

std::string metric_row(const Metric& metric, const std::string& labels) {
  const bool counter = std::string_view(kind_of(metric)) == "counter";
  return "| " + code(family_name(metric.name, metric.unit, counter) + (counter ? "_total" : "")) +
         " | " + kind_of(metric) + " | " + labels + " | " + in_cell(metric.description) + " |\n";
}

// Has everything that its points can tell.
Exchange failed_request(Role end) {
  Exchange exchange;
  exchange.role = end;
  exchange.operation.status = 500;
  exchange.protocol_version = ProtocolVersion::k11;
  return exchange;
}

// What a series of durations that key has is told besides, of known threads and sockets.
std::string account_rows(const SeriesKey& key, const std::string& labels) {
  AccountSum known;
  known.of_thread = known.of_socket = 1;
  std::string rows;
  for (const auto& metric : account_points(key, known, {}))
    rows +=
        metric_row({.name = metric.description->name,
                    .description = metric.description->description,
                    .unit = metric.unit,
                    .points = Sum{}},
                   labels + (has_attribute(metric.points[0].attributes, "state") ? ", state" : ""));
  return rows;
}

std::string metric_rows_of_services() {
  std::string rows;
  for (std::size_t place = 0; place < kConventions; ++place)
    for (std::size_t kind = 0; kind < kMetricKinds; ++kind) {
      const auto convention = static_cast<Convention>(place);
      SeriesKey key;
      key.convention = convention;
      key.kind = static_cast<MetricKind>(kind);
      if (!semantics_of(convention).has(key.kind)) continue;
      const auto& description = describe(key);
      semantics_of(convention).fill_key(failed_request(row_of(key.kind).end), key.kind, key);
      if (description.by_server) key.server = {.name = 1, .port = 80};
      std::string labels;
      const KeyTexts texts{.server = KeyText("example"), .name = KeyText("example")};
      for (const auto& attribute : attributes_of(key, texts))
        labels += (labels.empty() ? "" : ", ") + label_name(attribute.key);
      rows += metric_row(
          {.name = description.name,
           .description = std::string(description.description) + asked_by(row_of(key.kind).group),
           .unit = row_of(key.kind).unit,
           .points = points_of(row_of(key.kind).shape)},
          labels);
      if (row_of(key.kind).counts_requests) rows += account_rows(key, labels);
    }
  return rows;
}

std::string self_metric_rows() {
  Counters counters;
  counters.of_protocol("any");
  const ExportCounters export_counters;
  const std::array<std::uint64_t, EXA_COUNTER_COUNT> kernel{};
  const auto all = self_metrics(nullptr, counters, export_counters, kernel,
                                {.policy_totals = {{.rule = "default"}},
                                 .exemplars_stored = 0,
                                 .exemplars_capacity = 0,
                                 .oldest_exemplar_s = 0,
                                 .tls = TlsState::kOff,
                                 .pods = 0,
                                 .pods_source = SourceState::kStarting,
                                 .pods_answer_age_s = 0},
                                {}, {});
  std::string rows;
  for (const auto& metric : all.metrics)
    rows += metric_row(metric, labels_of_points(metric));
  return rows;
}

std::string attribute_rows() {
  std::string rows;
#define EXA_X(key, type, of, sentence) \
  rows += "| " + code(key) + " | " type " | " of " | " + in_cell(sentence) + " |\n";
  EXA_SPAN_ATTRIBUTES(EXA_X)
#undef EXA_X
  return rows;
}

// Of tests/unit/exemplars, trace and exporters.
std::string_view test_of(std::string_view option) {
  const auto test = std::ranges::find(kOptionTests, option, &OptionTest::option);
  EXPECT_NE(test, std::ranges::end(kOptionTests)) << option << " has no test";
  return test == std::ranges::end(kOptionTests) ? std::string_view() : test->test;
}

// The name of a policy is that of its test, whatever its arguments.
std::string policy_rows() {
  std::string rows;
  for (const auto& policy : policy_descriptions())
    rows += "| " + code(policy.example) + " | " + in_cell(policy.sentence) + " | " +
            code(test_of(policy.example.substr(0, policy.example.find('(')))) + " |\n";
  return rows;
}

// Those about how the exemplar's span is made are no matter of the sampler; policies have a table.
bool is_of_sampler_or_store(std::string_view key) {
  constexpr std::string_view kOthers[] = {"exemplars.policy", "exemplars.why",
                                          "exemplars.why_exact", "exemplars.beside_sdk"};
  return key.starts_with("exemplars.") &&
         std::ranges::find(kOthers, key) == std::ranges::end(kOthers);
}

std::string sampler_rows() {
  std::string rows;
  for (const auto& setting : all_settings())
    if (is_of_sampler_or_store(setting.key))
      rows += "| " + code(setting.key) + " | " + code(test_of(setting.key)) + " |\n";
  return rows;
}

std::string event_rows() {
  std::string rows;
#define EXA_X(name, of, sentence) \
  rows += "| " + code(name) + " | " of " | " + in_cell(sentence) + " |\n";
  EXA_SPAN_EVENTS(EXA_X)
#undef EXA_X
  return rows;
}

}  // namespace

std::string reference_page() {
  std::string page =
      "# Reference\n"
      "Generated from the tables in the code and checked by a test. After changing those, run\n"
      "`EXA_WRITE_REFERENCE=1 build/dev/tests/unit/unit_reference --gtest_filter='Reference.*'`\n"
      "\n"
      "## Settings\n"
      "Keys of the YAML file; a dot is a level. Flags override `OTEL_*` variables, which override "
      "the file.\n"
      "\n"
      "| key | flag | type | default | description |\n"
      "|---|---|---|---|---|\n";
  for (const auto& setting : all_settings())
    page += "| " + code(setting.key) + " | " + code(setting.flag) + " | " + code(type_of(setting)) +
            " | " + code(default_of(setting)) + " | " + in_cell(setting.sentence) + " |\n";
  page += kDeclarativeText;
  page += kPolicyText;
  page +=
      "| policy | admits | tested by |\n"
      "|---|---|---|\n" +
      policy_rows() +
      "\n"
      "The other settings of the sampler, and those of the store, are tested by:\n"
      "\n"
      "| setting | tested by |\n"
      "|---|---|\n" +
      sampler_rows() +
      "\n"
      "## Metrics\n"
      "As named in a scrape; over OTLP, names have dots instead of underscores and neither units "
      "nor `_total`. "
      "Every\nseries of a service also has `job` and `instance`.\n"
      "\n"
      "| metric | type | labels | description |\n"
      "|---|---|---|---|\n" +
      metric_rows_of_services() + kTraceMetricRows +
      "\n"
      "The agent's own metrics:\n"
      "\n"
      "| metric | type | labels | description |\n"
      "|---|---|---|---|\n" +
      self_metric_rows() +
      "\n"
      "## Span attributes\n"
      "\n"
      "| attribute | type | end | description |\n"
      "|---|---|---|---|\n" +
      attribute_rows() +
      "\n"
      "## Span events\n"
      "\n"
      "| event | end | description |\n"
      "|---|---|---|\n" +
      event_rows();
  return page;
}

}  // namespace exa::testing
