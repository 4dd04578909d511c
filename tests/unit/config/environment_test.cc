// What OTEL_* variables say.
#include "agent/config/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/config/load.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;

TEST(ConfigEnvironment, EmptyIsUnset) {
  const auto loaded = load_config(
      {.environment = {{"OTEL_EXPORTER_OTLP_ENDPOINT", ""}, {"OTEL_METRIC_EXPORT_INTERVAL", ""}}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config, Config{});
  EXPECT_THAT(loaded->warnings, IsEmpty());
}

TEST(ConfigEnvironment, EndpointsOfGrpcMayHaveNoScheme) {
  const auto loaded =
      load_config({.environment = {{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
                                   {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector:4317"},
                                   {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "collector:4317"},
                                   {"OTEL_EXPORTER_OTLP_METRICS_INSECURE", "true"}}});
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->warnings, IsEmpty());
  EXPECT_EQ(loaded->config.otlp.traces.protocol, OtlpProtocol::kGrpc);
  EXPECT_EQ(loaded->config.otlp.traces.endpoint, "https://collector:4317");
  EXPECT_EQ(loaded->config.otlp.metrics.endpoint, "http://collector:4317");
}

TEST(ConfigEnvironment, WhatTheFileSaysOfProtocolsHoldsForEndpoints) {
  const auto loaded = load_config({.file_name = "agent.yaml",
                                   .file_text = "otlp: {traces: {protocol: grpc}}\n",
                                   .environment = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "backend:4317"},
                                                   {"OTEL_EXPORTER_OTLP_INSECURE", "TRUE"}}});
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->config.otlp.traces.endpoint, StartsWith("http://backend:4317"));
  EXPECT_EQ(loaded->config.otlp.metrics.endpoint, "") << "over HTTP there is no default scheme";
  EXPECT_THAT(loaded->warnings, ElementsAre(StartsWith("OTEL_EXPORTER_OTLP_ENDPOINT: ")));
}

TEST(ConfigEnvironment, BooleansAreTrueOrFalseInAnyCase) {
  const auto disabled = load_config({.environment = {{"OTEL_SDK_DISABLED", "True"}}});
  ASSERT_TRUE(disabled);
  EXPECT_FALSE(disabled->config.openmetrics.enabled);
  const auto odd = load_config({.environment = {{"OTEL_SDK_DISABLED", "1"},
                                                {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
                                                {"OTEL_EXPORTER_OTLP_INSECURE", "yes"},
                                                {"OTEL_EXPORTER_OTLP_ENDPOINT", "backend"}}});
  ASSERT_TRUE(odd);
  EXPECT_TRUE(odd->config.openmetrics.enabled);
  EXPECT_THAT(odd->config.otlp.traces.endpoint, StartsWith("https://backend"));
  EXPECT_THAT(odd->warnings,
              Contains(StartsWith("OTEL_SDK_DISABLED: '1' is neither true nor false")));
  EXPECT_THAT(odd->warnings, Contains(StartsWith("OTEL_EXPORTER_OTLP_INSECURE: 'yes'")));
}

TEST(ConfigEnvironment, AnExemplarFilterByTracesIsAPolicy) {
  const auto loaded =
      load_config({.environment = {{"OTEL_METRICS_EXEMPLAR_FILTER", "trace_based"}}});
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->warnings, IsEmpty());
  EXPECT_EQ(loaded->config.exemplars.policies.policy, PolicySpec{policy::TraceBased{}});
}

TEST(ConfigEnvironment, TemporalityIsOfCountersAndHistograms) {
  for (const auto& [text, temporality] :
       {std::pair("delta", Temporality::kDelta), std::pair("LowMemory", Temporality::kDelta),
        std::pair("cumulative", Temporality::kCumulative)}) {
    const auto loaded =
        load_config({.environment = {{"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", text}}});
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->config.otlp.temporality, temporality) << text;
    EXPECT_THAT(loaded->warnings, IsEmpty());
  }
}

TEST(ConfigEnvironment, LogsAreExportedWhereTheyAreAskedFor) {
  const auto loaded =
      load_config({.environment = {{"OTEL_LOGS_EXPORTER", "otlp"},
                                   {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://b:4318"}}});
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(loaded->config.otlp.logs.active());
  EXPECT_EQ(loaded->config.otlp.logs.endpoint, "http://b:4318/v1/logs");
  const auto silent =
      load_config({.environment = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://b:4318"}}});
  ASSERT_TRUE(silent);
  EXPECT_FALSE(silent->config.otlp.logs.active()) << "not without being asked";
}

TEST(ConfigEnvironment, UnknownValuesWarnAndAreIgnored) {
  const auto loaded =
      load_config({.environment = {{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"},
                                   {"OTEL_METRIC_EXPORT_INTERVAL", "10s"},
                                   {"OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"},
                                   {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "daily"},
                                   {"OTEL_METRICS_EXEMPLAR_FILTER", "rare"},
                                   {"OTEL_PROPAGATORS", "tracecontext,ottrace"}}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config, Config{});
  EXPECT_THAT(loaded->warnings,
              ::testing::UnorderedElementsAre(
                  StartsWith("OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' is not supported"),
                  StartsWith("OTEL_METRIC_EXPORT_INTERVAL: '10s' is not a number"),
                  StartsWith("OTEL_EXPORTER_OTLP_COMPRESSION: 'zstd' is not one of gzip, none"),
                  StartsWith("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'daily'"),
                  StartsWith("OTEL_METRICS_EXEMPLAR_FILTER: 'rare'"),
                  StartsWith("OTEL_PROPAGATORS: 'ottrace' is not supported")));
}

TEST(ConfigEnvironment, WhatTheAgentDoesNotReadIsTold) {
  const auto loaded =
      load_config({.environment = {{"OTEL_TRACES_SAMPLER", "traceidratio"},
                                   {"OTEL_BSP_SCHEDULE_DELAY", ""},
                                   {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"},
                                   {"OTEL_EXPORTER_OTLP_INSECURE", "true"}}});
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->warnings, ElementsAre(StartsWith("OTEL_TRACES_SAMPLER: ")));
}

TEST(ConfigEnvironment, AnEntryThatIsNoPairIsToldWithoutItsText) {
  const auto loaded =
      load_config({.environment = {{"OTEL_EXPORTER_OTLP_HEADERS", "a=b, secret, c=d,"},
                                   {"OTEL_RESOURCE_ATTRIBUTES", "env=test,zone"}}});
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->config.otlp.traces.headers, ElementsAre(Pair("a", "b"), Pair("c", "d")));
  EXPECT_THAT(loaded->config.targets.resource, ElementsAre(Pair("env", "test")));
  EXPECT_THAT(
      loaded->warnings,
      ElementsAre("OTEL_EXPORTER_OTLP_HEADERS: an entry that is no key=value pair is left out",
                  "OTEL_RESOURCE_ATTRIBUTES: an entry that is no key=value pair is left out"));
}

TEST(ConfigEnvironment, TheBaseEndpointKeepsItsQuery) {
  const auto loaded = load_config(
      {.environment = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://all/base//?api-key=a/b"}}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.otlp.traces.endpoint, "https://all/base/v1/traces?api-key=a/b");
  EXPECT_EQ(loaded->config.otlp.metrics.endpoint, "https://all/base/v1/metrics?api-key=a/b");
}

TEST(ConfigEnvironment, SignalVariablesBeatTheCommonOnes) {
  const auto loaded =
      load_config({.environment = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318"},
                                   {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m:1/custom"},
                                   {"OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, x = y"},
                                   {"OTEL_EXPORTER_OTLP_TIMEOUT", "2500"}}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.otlp.traces.endpoint, "http://all:4318/v1/traces");
  EXPECT_EQ(loaded->config.otlp.metrics.endpoint, "http://m:1/custom");
  EXPECT_THAT(loaded->config.otlp.traces.headers,
              ElementsAre(Pair("api-key", "a b"), Pair("x", "y")));
  EXPECT_EQ(loaded->config.otlp.metrics.timeout, 2500ms);
}

TEST(ConfigEnvironment, ExporterListsAndPrometheusAddress) {
  const auto loaded = load_config({.environment = {{"OTEL_TRACES_EXPORTER", "none"},
                                                   {"OTEL_METRICS_EXPORTER", "prometheus"},
                                                   {"OTEL_EXPORTER_PROMETHEUS_PORT", "1234"}}});
  ASSERT_TRUE(loaded);
  EXPECT_FALSE(loaded->config.otlp.traces.enabled);
  EXPECT_FALSE(loaded->config.otlp.metrics.enabled);
  EXPECT_TRUE(loaded->config.openmetrics.enabled);
  EXPECT_EQ(loaded->config.openmetrics.port, 1234);
}

TEST(ConfigEnvironment, APrometheusAddressServesNothingByItself) {
  for (const char* const exporters : {"otlp", "none", "console,otlp"}) {
    const auto loaded = load_config({.environment = {{"OTEL_METRICS_EXPORTER", exporters},
                                                     {"OTEL_EXPORTER_PROMETHEUS_HOST", "0.0.0.0"},
                                                     {"OTEL_EXPORTER_PROMETHEUS_PORT", "1234"}}});
    ASSERT_TRUE(loaded);
    EXPECT_FALSE(loaded->config.openmetrics.enabled) << exporters;
  }
  const auto loaded = load_config({.environment = {{"OTEL_EXPORTER_PROMETHEUS_PORT", "1234"}}});
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(loaded->config.openmetrics.enabled) << "as it is by default";
}

TEST(ConfigEnvironment, ResourceAttributesGoToEveryTargetButNotTheName) {
  const auto loaded = load_config(
      {.environment = {{"OTEL_RESOURCE_ATTRIBUTES", "service.name=agent,env=prod,env=test"}}});
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->config.targets.resource, ElementsAre(Pair("env", "test")));
}

TEST(ConfigEnvironment, WhatIsNoTextIsLeftOut) {
  const auto loaded =
      load_config({.environment = {{"OTEL_RESOURCE_ATTRIBUTES", "n%a8=x,env=test,a=%01"},
                                   {"OTEL_EXPORTER_PROMETHEUS_HOST", "::\b"}}});
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->config.targets.resource, ElementsAre(Pair("env", "test")));
  EXPECT_EQ(loaded->config.openmetrics.host, "127.0.0.1");
  EXPECT_EQ(loaded->warnings.size(), 3u);
}

TEST(ConfigEnvironment, OnlyOtelVariablesAreRead) {
  const char* const block[] = {"PATH=/bin", "OTEL_LOG_LEVEL=warn", "OTEL_BROKEN", nullptr};
  EXPECT_THAT(otel_environment(block), ElementsAre(Pair("OTEL_LOG_LEVEL", "warn")));
}

}  // namespace
}  // namespace exa
