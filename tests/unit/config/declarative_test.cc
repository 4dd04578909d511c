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
  EXPECT_THAT(found->warnings, IsEmpty());
  const auto& config = found->config;
  EXPECT_EQ(config.log.level, LogThreshold::kDebug) << "not what the environment says";
  EXPECT_THAT(config.targets.resource, ElementsAre(Pair("region", "eu"), Pair("team", "b")));
  EXPECT_EQ(config.propagators, (PropagatorList{Propagator::kW3c, Propagator::kB3}));
  const auto& traces = config.otlp.traces;
  EXPECT_TRUE(traces.active());
  EXPECT_EQ(traces.protocol, OtlpForm::kGrpc);
  EXPECT_EQ(traces.endpoint, "https://collector:4317");
  EXPECT_EQ(traces.certificate, "/ca.pem");
  EXPECT_EQ(traces.client_certificate, "/cert.pem");
  EXPECT_EQ(traces.client_key, "/key.pem");
  EXPECT_THAT(traces.headers, ElementsAre(Pair("api-key", "s3cret"), Pair("tenant", "shop")));
  EXPECT_FALSE(traces.gzip);
  EXPECT_EQ(traces.timeout, 3s);
  EXPECT_EQ(config.window, 5s);
  EXPECT_EQ(config.otlp.metrics.protocol, OtlpForm::kHttp);
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
    - periodic: {exporter: {otlp_http: {temporality_preference: delta, proxy: x}}}
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
    const auto found = loaded("file_format: '1.0'\nresource: {attributes_list: 'a=" + text + "'}\n",
                              variables);
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
}

}  // namespace
}  // namespace exa
