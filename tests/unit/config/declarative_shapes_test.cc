// What a declarative configuration says in another shape than expected, or against our own file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/config/declarative.h"
#include "agent/config/load.h"

namespace exa {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

Result<LoadedConfig> loaded(std::string text, std::string own = "", Environment variables = {}) {
  return load_config({.file_name = own.empty() ? "" : "agent.yaml",
                      .file_text = std::move(own),
                      .declarative_name = "otel.yaml",
                      .declarative_text = "file_format: '1.0'\n" + std::move(text),
                      .variables = std::move(variables)});
}

std::string of_traces(const std::string& exporter) {
  return "tracer_provider: {processors: [{batch: {exporter: {" + exporter + "}}}]}\n";
}
std::string of_metrics(const std::string& exporter) {
  return "meter_provider: {readers: [{periodic: {exporter: {" + exporter + "}}}]}\n";
}

TEST(DeclarativeOverFile, TemporalityIsCumulativeUnlessItSaysOtherwise) {
  const auto temporality = [](const std::string& text) {
    const auto found = loaded(text, "otlp: {metrics: {temporality: delta}}\n");
    return found ? found->config.otlp.temporality : Temporality::kDelta;
  };
  EXPECT_EQ(temporality(of_metrics("otlp_http: ")), Temporality::kCumulative);
  EXPECT_EQ(temporality(of_metrics("otlp_http: {timeout: 1}")), Temporality::kCumulative);
  EXPECT_EQ(temporality(of_metrics("otlp_http: {temporality_preference: cumulative}")),
            Temporality::kCumulative);
  EXPECT_EQ(temporality(of_metrics("otlp_http: {temporality_preference: low_memory}")),
            Temporality::kDelta);
}

TEST(DeclarativeOverFile, AnExporterOfTracesSaysNothingOfMetrics) {
  const auto found =
      loaded(of_traces("otlp_http: {temporality_preference: delta, default_histogram_aggregation:"
                       " base2_exponential_bucket_histogram}"));
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(found->config.otlp.temporality, Temporality::kCumulative);
  EXPECT_EQ(found->config.metrics.histograms, Config{}.metrics.histograms);
  EXPECT_THAT(found->warnings,
              UnorderedElementsAre(HasSubstr("otlp_http.temporality_preference"),
                                   HasSubstr("otlp_http.default_histogram_aggregation")));
}

TEST(DeclarativeOverFile, WhatHasAnExporterIsExported) {
  const auto found = loaded(of_traces("otlp_http: ") + of_metrics("otlp_http: "),
                            "otlp: {traces: {enabled: false}, metrics: {enabled: false}}\n");
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_TRUE(found->config.otlp.traces.active());
  EXPECT_TRUE(found->config.otlp.metrics.active());
}

TEST(DeclarativeOverFile, DisabledIsTrueInAnyCase) {
  const std::string own = "otlp: {logs: {enabled: true, endpoint: 'https://a'}}\n";
  const auto whole = of_traces("otlp_http: ");
  for (const char* const text : {"true", "True", "TRUE", "${X}"}) {
    const auto found = loaded(whole + "disabled: " + text + "\n", own, {{"X", "True"}});
    ASSERT_TRUE(found) << found.error().text;
    EXPECT_FALSE(found->config.otlp.traces.active()) << text;
    EXPECT_FALSE(found->config.otlp.logs.active()) << text;
    EXPECT_FALSE(found->config.openmetrics.enabled) << text;
    EXPECT_THAT(found->warnings, IsEmpty());
  }
  const auto found = loaded(whole + "disabled: 'yes'\n", own);
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_TRUE(found->config.otlp.traces.active());
  EXPECT_TRUE(found->config.otlp.logs.active());
  EXPECT_THAT(found->warnings,
              ElementsAre("otel.yaml:3:11: 'yes' is neither true nor false; ignored"));
}

TEST(DeclarativeOverFile, InsecureIsTrueInAnyCase) {
  const auto endpoint = [](const std::string& insecure) {
    const auto found =
        loaded(of_traces("otlp_grpc: {endpoint: 'a:1', tls: {insecure: " + insecure + "}}"));
    return found ? found->config.otlp.traces.endpoint : found.error().text;
  };
  EXPECT_EQ(endpoint("TRUE"), "http://a:1");
  EXPECT_EQ(endpoint("False"), "https://a:1");
  EXPECT_EQ(endpoint("1"), "https://a:1");
}

TEST(DeclarativeOverFile, WithoutAUsableEndpointNothingIsSentAnywhere) {
  for (const char* const endpoint : {"'b:4318'", "'ftp://b'", "'http://'", "[a]", "{a: b}"}) {
    const auto text =
        "otlp_http: {endpoint: " + std::string(endpoint) + ", headers_list: 'api-key=b'}";
    const auto found = loaded(of_traces(text) + of_metrics(text),
                              "otlp: {endpoint: 'https://a', headers: {api-key: a}}\n");
    ASSERT_TRUE(found) << found.error().text;
    EXPECT_FALSE(found->config.otlp.traces.active()) << endpoint;
    EXPECT_FALSE(found->config.otlp.metrics.active()) << endpoint;
    EXPECT_THAT(found->config.otlp.traces.headers, ElementsAre(Pair("api-key", "a")));
    EXPECT_THAT(found->warnings, UnorderedElementsAre(HasSubstr("the exporter otlp_http: "),
                                                      HasSubstr("the exporter otlp_http: ")));
  }
}

TEST(DeclarativeOverFile, UnusableHeadersLeaveNoneOfAnotherBackend) {
  const auto found = loaded(of_traces("otlp_http: {endpoint: 'https://b', headers_list: 'a b=c'}"),
                            "otlp: {endpoint: 'https://a', headers: {api-key: a}}\n");
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(found->config.otlp.traces.endpoint, "https://b");
  EXPECT_THAT(found->config.otlp.traces.headers, IsEmpty());
  EXPECT_EQ(found->warnings.size(), 1u);
}

TEST(DeclarativeShapes, AnotherShapeIsNeverPassedOverInSilence) {
  const auto http = [](const std::string& member) {
    return of_traces("otlp_http: {" + member + "}");
  };
  for (const auto& [text, warning] : {
           std::pair(std::string("resource: [a]"), "a resource that is no map"),
           std::pair(std::string("resource: {attributes: {team: a}}"),
                     "a value of attributes that is no list"),
           std::pair(std::string("propagator: b3"), "a propagator that is no map"),
           std::pair(std::string("propagator: {composite: b3}"),
                     "a value of composite that is no list"),
           std::pair(std::string("propagator: {composite: [b3]}"),
                     "a propagator that is not a map of one name"),
           std::pair(std::string("tracer_provider: []"), "a tracer provider that is no map"),
           std::pair(std::string("tracer_provider: {processors: {batch: {}}}"),
                     "a value of processors that is no list"),
           std::pair(std::string("meter_provider: x"), "a meter provider that is no map"),
           std::pair(std::string("meter_provider: {readers: {pull: {}}}"),
                     "a value of readers that is no list"),
           std::pair(std::string("log_level: [debug]"), "a list or map in place of a plain value"),
           std::pair(http("headers: {api-key: a}"), "a value of headers that is no list"),
           std::pair(http("headers_list: [a]"), "a list or map in place of a plain value"),
           std::pair(http("tls: /ca.pem"), "a value of tls that is no map"),
           std::pair(of_traces("otlp_http: x"), "the exporter otlp_http that is no map"),
           std::pair(
               std::string("meter_provider: {readers: [{pull: {exporter: {prometheus: 1}}}]}"),
               "the exporter prometheus that is no map"),
       }) {
    const auto found = loaded(text + "\n");
    ASSERT_TRUE(found) << text << found.error().text;
    EXPECT_THAT(found->warnings, ElementsAre(HasSubstr(warning))) << text;
  }
}

TEST(DeclarativeShapes, WhatIsNothingIsNoOtherShape) {
  const auto found = loaded(
      "disabled:\nlog_level: ~\nresource:\npropagator: {composite: , composite_list: ~}\n"
      "tracer_provider: {processors: }\nmeter_provider: {readers: ~}\n");
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_THAT(found->warnings, IsEmpty());
}

TEST(DeclarativeShapes, ASecondDocumentIsRefused) {
  const auto found = loaded("disabled: true\n---\ndisabled: false\n");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().text, "otel.yaml:3:1: a second document; expected only one");
}

}  // namespace
}  // namespace exa
