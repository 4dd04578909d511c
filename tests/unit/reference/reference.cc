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

std::string default_of(const Setting& setting) {
  std::string text;
  for (const auto& entry : setting.print(Config{}))
    text += (text.empty() ? "" : ", ") + (entry.key.empty() ? "" : entry.key + ": ") + entry.value;
  return text;
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

// Of tests/unit/exemplars; its name is the policy's, whatever its arguments.
std::string_view test_of_policy(std::string_view example) {
  const auto name = example.substr(0, example.find('('));
  const auto test = std::ranges::find(kPolicyTests, name, &PolicyTest::policy);
  EXPECT_NE(test, std::ranges::end(kPolicyTests)) << name << " has no test";
  return test == std::ranges::end(kPolicyTests) ? std::string_view() : test->test;
}

std::string policy_rows() {
  std::string rows;
  for (const auto& policy : policy_descriptions())
    rows += "| " + code(policy.example) + " | " + in_cell(policy.sentence) + " | " +
            code(test_of_policy(policy.example)) + " |\n";
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

// troff: a line must not begin with a dot or a quote, and a minus is a hyphen unless escaped.
std::string in_manual(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '-')
      out += "\\-";
    else if (c == '\\')
      out += "\\e";
    else if (c == '\'')
      out += "\\(aq";
    else
      out += c;
  }
  return out.starts_with('.') ? "\\&" + out : out;
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

std::string manual_page() {
  std::string page =
      R"(.\" Generated from the tables in the code; see agent/REFERENCE.md.
.TH EXEMPLAR\-AGENT 8 "" "exemplar\-agent" "System Administration"
.SH NAME
exemplar\-agent \- latency histograms of every request, with exemplars that open their traces
.SH SYNOPSIS
.B exemplar\-agent run
.RI [ OPTIONS ]
.br
.B exemplar\-agent check
.RI [ OPTIONS ]
.br
.B exemplar\-agent status
.RB [ \-\-json ]
.RB [ \-\-lock\-file
.IR FILE ]
.br
.B exemplar\-agent explain
.RB [ \-\-json ]
.RB [ \-\-lock\-file
.IR FILE ]
.br
.B exemplar\-agent replay
.I FILE
.SH DESCRIPTION
Observes the sockets and TLS libraries of this host with eBPF, without changing traffic or data, and exports
histograms with exemplars and the traces they open. The observed programs need no change.
.SH COMMANDS
.TP
.B run
observes until stopped by a signal. SIGHUP reloads the configuration.
.TP
.B check
reports whether the agent can run here as configured, and what each missing feature costs.
.TP
.B status
shows what the running agent has counted for each service, what it cannot read, and why.
.TP
.B explain
says what was slow and what failed in the running agent's last window, and why.
.TP
.B replay
recomputes the results of a recording.
.TP
.B version
prints the version.
.SH OPTIONS
.TP
.BI \-\-config " FILE"
YAML file with settings.
.TP
.B \-\-print\-config
prints the effective configuration, with unset settings as comments, and exits.
)";
  for (const auto& setting : all_settings()) {
    if (setting.flag.empty()) continue;
    page += ".TP\n.BI " + in_manual(setting.flag) + " \" " + in_manual(setting.value_name) +
            "\"\n" + in_manual(setting.sentence);
    const auto otherwise = default_of(setting);
    page += (otherwise.empty() ? "" : " (" + in_manual(otherwise) + ")") + ".\n";
  }
  page += R"(.SH ENVIRONMENT
The variables
.B OTEL_*
of the OpenTelemetry specification, where they apply; others log a warning.
.SH FILES
.TP
.I /etc/exemplar\-agent/agent.yaml
settings of the service
.TP
.I /etc/default/exemplar\-agent
its environment, for secrets
.TP
.I /run/exemplar\-agent.lock
held while an agent runs
.SH EXIT STATUS
0 clean exit, 1 failure, 2 bad configuration, 3 another agent is already running.
)";
  return page;
}

std::string bash_completion() {
  std::string flags = "--config --print-config --help";
  std::string values;
  for (const auto& setting : all_settings()) {
    if (setting.flag.empty()) continue;
    flags += " " + std::string(setting.flag);
    std::string choices(setting.value_name);
    if (choices.find('|') == std::string::npos && choices != "BOOL") continue;
    if (choices == "BOOL") choices = "true|false";
    for (char& c : choices)
      if (c == '|') c = ' ';
    values += "    " + std::string(setting.flag) + ") words=\"" + choices + "\" ;;\n";
  }
  return "# bash completion of exemplar-agent. Generated from the tables in the code.\n"
         "# shellcheck shell=bash\n"
         "_exemplar_agent() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\"\"\n"
         "  COMPREPLY=()\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W 'run check status explain replay version --help "
         "--version' "
         "-- \"$word\")\n"
         "    return\n"
         "  fi\n"
         "  case $before in\n"
         "    --config|--lock-file|--record|replay)\n"
         "      mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
         "      return ;;\n" +
         values +
         "    *)\n"
         "      case ${COMP_WORDS[1]} in\n"
         "        status|explain) words='--json --config --lock-file --help' ;;\n"
         "        replay) words='--config --output --rows --sort --otlp-endpoint --help' ;;\n"
         "        run|check) words='" +
         flags +
         "' ;;\n"
         "      esac ;;\n"
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
         "}\n"
         "complete -F _exemplar_agent exemplar-agent\n";
}

}  // namespace exa::testing
