#include "agent/config/declarative.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/config/load.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

Result<LoadedConfig> loaded(std::string text, Environment variables = {}) {
  return load_config({.environment = {{"OTEL_LOG_LEVEL", "error"}},
                      .declarative_name = "otel.yaml",
                      .declarative_text = std::move(text),
                      .variables = std::move(variables)});
}

constexpr auto kWhole = R"(
file_format: "1.0"
log_level: ${LEVEL:-debug}
resource:
  attributes_list: team=a,region=eu
  attributes:
    - {name: service.name, value: ignored}
    - {name: team, value: "${TEAM}"}
propagator:
  composite: [{tracecontext: }, {baggage: }, {b3: }]
tracer_provider:
  processors:
    - batch:
        exporter:
          otlp_grpc:
            endpoint: https://collector:4317
            tls: {ca_file: /ca.pem, cert_file: /cert.pem, key_file: /key.pem}
            headers: [{name: api-key, value: "${KEY}"}]
            headers_list: api-key=old,tenant=shop
            compression: none
            timeout: 3000
meter_provider:
  readers:
    - periodic:
        interval: 5000
        exporter:
          otlp_http:
            default_histogram_aggregation: base2_exponential_bucket_histogram
    - pull:
        exporter:
          prometheus/development: {host: 0.0.0.0, port: 9999}
)";

TEST(Declarative, SaysTheSameAsOurSettings) {
  const auto found = loaded(kWhole, {{"TEAM", "b"}, {"KEY", "s3cret"}, {"LEVEL", ""}});
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_THAT(
      found->warnings,
      ElementsAre("otel.yaml:7:7: service.name, which would be that of all processes, is not "
                  "supported; ignored"));
  const auto& config = found->config;
  EXPECT_EQ(config.log.level, LogThreshold::kDebug) << "not what the environment says";
  EXPECT_THAT(config.targets.resource, ElementsAre(Pair("region", "eu"), Pair("team", "b")));
  EXPECT_EQ(config.propagators, (PropagatorList{Propagator::kW3c, Propagator::kB3}));
  const auto& traces = config.otlp.traces;
  EXPECT_TRUE(traces.active());
  EXPECT_EQ(traces.protocol, OtlpProtocol::kGrpc);
  EXPECT_EQ(traces.endpoint, "https://collector:4317");
  EXPECT_EQ(traces.certificate, "/ca.pem");
  EXPECT_EQ(traces.client_certificate, "/cert.pem");
  EXPECT_EQ(traces.client_key, "/key.pem");
  EXPECT_THAT(traces.headers, ElementsAre(Pair("api-key", "s3cret"), Pair("tenant", "shop")));
  EXPECT_FALSE(traces.gzip);
  EXPECT_EQ(traces.timeout, 3s);
  EXPECT_EQ(config.window, 5s);
  EXPECT_EQ(config.otlp.metrics.protocol, OtlpProtocol::kHttp);
  EXPECT_EQ(config.otlp.metrics.endpoint, "http://localhost:4318/v1/metrics");
  EXPECT_EQ(config.metrics.histograms, HistogramForm::kExponential);
  EXPECT_TRUE(config.openmetrics.enabled);
  EXPECT_EQ(config.openmetrics.host, "0.0.0.0");
  EXPECT_EQ(config.openmetrics.port, 9999);
  EXPECT_THAT(found->origins, Contains(Pair("otlp.traces.endpoint", "otel.yaml:15:11")));
}

TEST(Declarative, WhatHasNoProviderIsNotExported) {
  const auto found = loaded("file_format: '1.0'\n");
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_FALSE(found->config.otlp.traces.enabled);
  EXPECT_FALSE(found->config.otlp.metrics.enabled);
  EXPECT_FALSE(found->config.openmetrics.enabled);
}

TEST(Declarative, DisabledIsDisabled) {
  const auto found = loaded(std::string(kWhole) + "disabled: true\n");
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_FALSE(found->config.otlp.traces.active());
  EXPECT_FALSE(found->config.openmetrics.enabled);
}

TEST(Declarative, NamesWhatItDoesNotSupport) {
  const auto found = loaded(R"(file_format: "1.0"
logger_provider: {}
propagator: {composite_list: "tracecontext,ottrace"}
tracer_provider:
  sampler: {always_on: }
  processors:
    - simple: {}
    - batch: {exporter: {zipkin: {}}}
meter_provider:
  views: []
  readers:
    - periodic: {exporter: {otlp_http: {temporality_preference: daily, proxy: x}}}
)");
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_THAT(found->warnings,
              ::testing::UnorderedElementsAre(
                  "otel.yaml:2:1: logger_provider is not supported; ignored",
                  HasSubstr("the propagator ottrace"),
                  "otel.yaml:5:3: tracer_provider.sampler is not supported; ignored",
                  HasSubstr("a span processor other than batch"), HasSubstr("the exporter zipkin"),
                  "otel.yaml:10:3: meter_provider.views is not supported; ignored",
                  HasSubstr("otlp_http.proxy"), HasSubstr("another temporality than cumulative")));
  EXPECT_FALSE(found->config.otlp.traces.enabled);
}

// Processors and readers, one a line.
std::string document(const std::string& processors, const std::string& readers,
                     const std::string& meter = "") {
  return "file_format: '1.0'\ntracer_provider:\n  processors:\n" + processors +
         "meter_provider:\n" + meter + "  readers:\n" + readers;
}

TEST(Declarative, TakesTheFirstExporterOfEachKindAlone) {
  const auto found = loaded(
      document("    - batch: {exporter: {otlp_grpc: {endpoint: 'https://a:4317', compression: gzip,"
               " tls: {cert_file: /c, key_file: /k}, headers: [{name: api-key, value: a}]}}}\n"
               "    - batch: {exporter: {otlp_http: {endpoint: 'https://b:4318/v1/traces'}}}\n",
               "    - periodic: {interval: 2000, exporter: {otlp_http: {headers_list: 'a=1'}}}\n"
               "    - periodic: {interval: 9000, exporter: {otlp_grpc: {headers_list: 'b=1'}}}\n"
               "    - pull: {exporter: {prometheus: {port: 1}}}\n"
               "    - pull: {exporter: {prometheus: {port: 2}}}\n"));
  ASSERT_TRUE(found) << found.error().text;
  const auto& traces = found->config.otlp.traces;
  const auto& metrics = found->config.otlp.metrics;
  EXPECT_EQ(traces.endpoint, "https://a:4317");
  EXPECT_EQ(traces.client_certificate, "/c");
  EXPECT_THAT(traces.headers, ElementsAre(Pair("api-key", "a")));
  EXPECT_EQ(metrics.protocol, OtlpProtocol::kHttp);
  EXPECT_THAT(metrics.headers, ElementsAre(Pair("a", "1")));
  EXPECT_EQ(found->config.window, 2s);
  EXPECT_EQ(found->config.openmetrics.port, 1);
  EXPECT_THAT(found->warnings, ElementsAre(HasSubstr("otel.yaml:5:25: a second exporter of traces"),
                                           HasSubstr("a second exporter of metrics"),
                                           HasSubstr("a second pull exporter")));
}

TEST(Declarative, GivesNoBackendTheCredentialsOfAnother) {
  const auto found = load_config(
      {.file_name = "agent.yaml",
       .file_text = "otlp: {endpoint: 'https://a', headers: {api-key: a}, certificate: /a,"
                    " client_certificate: /c, client_key: /k, timeout: 1s}\n",
       .declarative_name = "otel.yaml",
       .declarative_text =
           document("    - batch: {exporter: {otlp_http: {endpoint: 'https://b/v1/traces'}}}\n",
                    "    - periodic: {exporter: {otlp_http: }}\n")});
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_THAT(found->warnings, IsEmpty());
  auto& traces = found->config.otlp.traces;
  EXPECT_EQ(traces.endpoint, "https://b/v1/traces");
  for (const auto* const signal : {&traces, &found->config.otlp.metrics}) {
    EXPECT_THAT(signal->headers, IsEmpty());
    EXPECT_EQ(signal->certificate + signal->client_certificate + signal->client_key, "");
    EXPECT_EQ(signal->timeout, 10s);
    EXPECT_FALSE(signal->gzip) << "the schema's default";
  }
}

TEST(Declarative, EndpointsOfGrpcMayHaveNoScheme) {
  const auto found = loaded(
      document("    - batch: {exporter: {otlp_grpc: {endpoint: 'a:4317'}}}\n",
               "    - periodic: {exporter: {otlp_grpc: {endpoint: b, tls: {insecure: true}}}}\n"));
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(found->config.otlp.traces.endpoint, "https://a:4317");
  EXPECT_EQ(found->config.otlp.metrics.endpoint, "http://b");
}

TEST(Declarative, NamesWhatItDoesNotSupportInsideOfWhatItDoes) {
  const auto found = loaded(
      document("    - batch: {schedule_delay: 1, exporter: {otlp_http: {tls: {insecure: true},"
               " headers: [{name: a}]}}}\n"
               "    - batch: {exporter: otlp_http}\n"
               "    - batch: {}\n",
               "    - periodic: {timeout: 1, exporter: {otlp_http:"
               " {default_histogram_aggregation: other}}}\n"
               "    - pull: {producers: [], exporter: {prometheus: {without_units: true, port: x,"
               " host: '::1'}}}\n"
               "    - pull: {}\n",
               "  exemplar_filter: rare\n") +
      "attribute_limits: {}\n");
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_THAT(
      found->warnings,
      ::testing::UnorderedElementsAre(
          HasSubstr("attribute_limits"), HasSubstr("batch.schedule_delay"),
          HasSubstr("tls.insecure"), HasSubstr("a header without a name and a plain value"),
          "otel.yaml:5:7: an exporter of traces that is not a map of one exporter is not "
          "supported; ignored",
          HasSubstr("otel.yaml:6:7: an exporter of traces that is not a map of one exporter"),
          HasSubstr("the exemplar filter rare"), HasSubstr("periodic.timeout"),
          HasSubstr("the histogram aggregation other"), HasSubstr("pull.producers"),
          HasSubstr("prometheus.without_units"), HasSubstr("the port 'x'"),
          "otel.yaml:12:7: a pull exporter other than prometheus is not supported; ignored"));
  EXPECT_EQ(found->config.openmetrics.host, "::1");
  EXPECT_EQ(found->config.openmetrics.port, 9464);
}

TEST(Declarative, FiltersExemplarsByTracesOrNot) {
  const auto with = [](const char* filter) {
    const auto found = loaded(
        "file_format: '1.0'\nmeter_provider: {exemplar_filter: " + std::string(filter) + "}\n");
    return found ? found->config.exemplars : ExemplarSettings{};
  };
  EXPECT_EQ(with("trace_based").policies.policy, PolicySpec{policy::TraceBased{}});
  EXPECT_EQ(with("always_off").spans_per_window, 0u);
  EXPECT_EQ(with("always_on"), ExemplarSettings{});
}

TEST(Declarative, AnExplicitAggregationOverridesTheFile) {
  const auto found =
      load_config({.file_name = "agent.yaml",
                   .file_text = "metrics: {histograms: exponential}\n",
                   .declarative_name = "otel.yaml",
                   .declarative_text = document("",
                                                "    - periodic: {exporter: {otlp_http: "
                                                "{default_histogram_aggregation:"
                                                " explicit_bucket_histogram}}}\n")});
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(found->config.metrics.histograms, HistogramForm::kExplicit);
}

TEST(Declarative, WhatIsNoTextIsIgnored) {
  const auto found = loaded(
      "file_format: '1.0'\nresource: {attributes_list: 'a=%01,b=1',"
      " attributes: [{name: c, value: '${C}'}]}\n",
      {{"C", "\x01"}});
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_THAT(found->config.targets.resource, ElementsAre(Pair("b", "1")));
  EXPECT_THAT(found->warnings,
              ElementsAre(HasSubstr("a control character (0x01); ignored"),
                          HasSubstr("a control character (0x01); ignored"),
                          HasSubstr("a resource attribute without a plain value")));
}

TEST(Declarative, RefusesWhatIsNone) {
  for (const char* text : {"", "a", "[]", "window: 5s\n", "file_format: '0.4'\n", "file_format: {}",
                           "file_format: '1.0'\nresource: [\n"}) {
    const auto found = loaded(text);
    ASSERT_FALSE(found) << text;
    EXPECT_THAT(found.error().text, HasSubstr("otel.yaml"));
  }
}

TEST(Declarative, SubstitutesAsTheSpecificationHasIt) {
  const auto level_of = [](const std::string& text, const Environment& variables) {
    const auto found =
        loaded("file_format: '1.0'\nresource: {attributes_list: 'a=" + text + "'}\n", variables);
    return found && found->config.targets.resource.contains("a")
               ? found->config.targets.resource.at("a")
               : std::string();
  };
  EXPECT_EQ(level_of("${X}", {{"X", "1"}}), "1");
  EXPECT_EQ(level_of("${env:X}", {{"X", "1"}}), "1");
  EXPECT_EQ(level_of("${X:-2}", {}), "2");
  EXPECT_EQ(level_of("x${X}y", {{"X", "1"}}), "x1y");
  EXPECT_EQ(level_of("$${X}", {{"X", "1"}}), "${X}");
  EXPECT_EQ(level_of("${X", {{"X", "1"}}), "${X");
  EXPECT_EQ(level_of("$", {}), "$");
  EXPECT_EQ(level_of("${X}", {{"X", "${Y}"}, {"Y", "2"}}), "${Y}") << "once";
  EXPECT_EQ(level_of("${X:-}y", {}), "y");
  EXPECT_EQ(level_of("${X:-a:-b}", {}), "a:-b");
  for (const char* const text :
       {"${X:?err}", "${1X}", "${A-B}", "${}", "${file:X}", "${X:-1}${?}"}) {
    const auto found = loaded("file_format: '1.0'\nlog_level: '" + std::string(text) + "'\n");
    ASSERT_FALSE(found) << text;
    EXPECT_THAT(found.error().text, HasSubstr("otel.yaml:2:12: '")) << text;
    EXPECT_THAT(found.error().text, HasSubstr("is not a substitution")) << text;
  }
}

}  // namespace
}  // namespace exa
