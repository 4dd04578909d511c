// The OTLP exporters against a receiver with OpenTelemetry's own definitions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "exporters/otlp/encoder.h"
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

class Otlp : public testing::Test {
 protected:
  // Both signals to one receiver.
  Output exporters_to(const std::string& receiver, OtlpSignalSettings settings = {}) {
    settings.queue.shortest_backoff = 5ms;
    settings.queue.longest_backoff = 20ms;
    const auto to = [&](const char* path) {
      auto signal = settings;
      signal.url = receiver + path;
      return signal;
    };
    auto made = make_otlp({.traces = to("/v1/traces"), .metrics = to("/v1/metrics")}, counters_,
                          [this](LogLevel, std::string_view line) {
                            const std::lock_guard lock(mutex_);
                            lines_ += std::string(line) + "\n";
                          });
    EXPECT_TRUE(made.has_value()) << made.error().text;
    return std::move(*made);
  }
  std::string lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

  ExportCounters counters_;
  std::mutex mutex_;
  std::string lines_;
};

Json text_pair(const char* key, const char* value) {
  return {{"key", key}, {"value", {{"string_value", value}}}};
}

const Json kResource = {{"attributes",
                         {text_pair("service.name", "checkout"),
                          text_pair("service.namespace", "shop"),
                          text_pair("service.instance.id", "checkout-1"),
                          {{"key", "process.pid"}, {"value", {{"int_value", "4711"}}}}}}};
const Json kScope = {{"name", "exemplar-agent"}, {"version", "0.1.0"}};

TEST_F(Otlp, EveryFieldOfASpanArrives) {
  OtlpSink sink;
  auto made = exporters_to(sink.url());
  ASSERT_EQ(made.spans.at(0)->export_spans({s::span(7)}, Clock::now() + 10s),
            SpanDelivery::kAcknowledged);
  const Json expected = {
      {"type", "span"},
      {"resource", kResource},
      {"scope", kScope},
      {"span",
       {{"trace_id", "4bf92f3577b34da6a3ce929d0e0e4707"},
        {"span_id", "00f067aa0ba90207"},
        {"trace_state", "ot=rv:0123456789abcd"},
        {"parent_span_id", "00f067aa0ba902c8"},
        {"name", "GET /items"},
        {"kind", 2},
        {"start_time_unix_nano", "1700000000000000000"},
        {"end_time_unix_nano", "1700000000250000000"},
        {"attributes",
         {text_pair("http.request.method", "GET"),
          {{"key", "http.response.status_code"}, {"value", {{"int_value", "503"}}}},
          {{"key", "ratio"}, {"value", {{"double_value", 0.25}}}},
          {{"key", "exemplar"}, {"value", {{"bool_value", true}}}}}},
        {"events", {{{"time_unix_nano", "1700000000200000000"}, {"name", "first byte"}}}},
        {"status", {{"message", "overloaded"}, {"code", 2}}},
        {"flags", 0x301}}}};
  EXPECT_EQ(sink.query("/spans"), Json::array({expected}));
  EXPECT_EQ(sink.query("/traces/4bf92f3577b34da6a3ce929d0e0e4707").size(), 1u);
  EXPECT_EQ(sink.query("/traces/00").size(), 0u);
}

TEST_F(Otlp, ARootHasNoParentAndAResourceIsSentOnce) {
  Span root = s::span(1);
  root.parent_span_id = {};
  root.status = SpanStatus::kUnset;
  root.status_message.clear();
  root.trace_state.clear();
  const auto other = s::resource("cart", "cart-1");
  const std::vector<Span> spans = {root, s::span(2, other), s::span(3, root.resource)};
  const std::string request = encode_spans(spans, {});
  std::size_t resources = 0;
  for (std::size_t at = 0; (at = request.find("process.pid", at)) != std::string::npos; ++at)
    ++resources;
  EXPECT_EQ(resources, 2u);

  OtlpSink sink;
  auto made = exporters_to(sink.url());
  ASSERT_EQ(made.spans.at(0)->export_spans(spans, Clock::now() + 10s), SpanDelivery::kAcknowledged);
  const auto got = sink.query("/spans");
  ASSERT_EQ(got.size(), 3u);
  EXPECT_FALSE(got[0]["span"].contains("parent_span_id"));
  EXPECT_FALSE(got[0]["span"].contains("status"));
  EXPECT_EQ(got[1]["span"]["span_id"], "00f067aa0ba90203");
}

TEST_F(Otlp, EveryFieldOfMetricsArrives) {
  OtlpSink sink;
  auto made = exporters_to(sink.url());
  Exemplar without_ids = s::exemplar(0.75, 0);
  without_ids.trace_id = {};
  made.metrics.at(0)->export_metrics(std::make_shared<const MetricBatch>(s::batch(
      {s::duration_metric({s::histogram_point(
           s::get_200(), {s::exemplar(0.25, 7, 5, ExemplarReason::kSlowest), without_ids})}),
       s::counter_metric("exemplar_agent_records_total", 12, "malformed"),
       s::gauge_metric("exemplar_agent.memory", 1.5)})));
  made.metrics.at(0)->shutdown(Clock::now() + 10s);
  EXPECT_EQ(counters_.get(Counter::kMetricBatchesSent), 1u) << lines();
  const auto got = sink.query("/metrics");
  ASSERT_EQ(got.size(), 3u);

  EXPECT_EQ(got[0]["resource"], kResource);
  EXPECT_EQ(got[0]["scope"], kScope);
  const Json histogram = {{"name", "http.server.request.duration"},
                          {"description", "Duration of HTTP requests."},
                          {"unit", "s"},
                          {"kind", "histogram"},
                          {"temporality", 2}};
  EXPECT_EQ(got[0]["metric"], histogram);
  const Json reason_slowest = {text_pair("exemplar.reason", "slowest")};
  const Json reason_bucket = {text_pair("exemplar.reason", "bucket")};
  const Json point = {{"attributes",
                       {text_pair("http.request.method", "GET"),
                        {{"key", "http.response.status_code"}, {"value", {{"int_value", "200"}}}}}},
                      {"start_time_unix_nano", "1699999940000000000"},
                      {"time_unix_nano", "1700000010000000000"},
                      {"count", "10"},
                      {"sum", 4.5},
                      {"min", 0.002},
                      {"max", 1.75},
                      {"bucket_counts", {"4", "3", "2", "1"}},
                      {"explicit_bounds", {0.1, 0.5, 1.0}},
                      {"exemplars",
                       {{{"filtered_attributes", reason_slowest},
                         {"time_unix_nano", "1700000000000000005"},
                         {"as_double", 0.25},
                         {"span_id", "00f067aa0ba90207"},
                         {"trace_id", "4bf92f3577b34da6a3ce929d0e0e4707"}},
                        {{"filtered_attributes", reason_bucket},
                         {"time_unix_nano", "1700000005000000000"},
                         {"as_double", 0.75}}}}};
  EXPECT_EQ(got[0]["point"], point);

  EXPECT_EQ(got[1]["metric"]["kind"], "sum");
  EXPECT_EQ(got[1]["metric"]["temporality"], 2);
  EXPECT_EQ(got[1]["metric"]["monotonic"], true);
  EXPECT_EQ(got[1]["point"]["as_int"], "12");
  EXPECT_EQ(got[1]["point"]["start_time_unix_nano"], "1699999940000000000");
  EXPECT_EQ(got[2]["metric"]["kind"], "gauge");
  EXPECT_EQ(got[2]["point"]["as_double"], 1.5);
}

TEST_F(Otlp, RepairsTextThatTheDecoderWouldRefuse) {
  OtlpSink sink;
  auto made = exporters_to(sink.url());
  Span span = s::span(7);
  span.name = "GET \xff\xfe";
  span.attributes = {{"url.path", std::string("/\xc3\x28")}};
  ASSERT_EQ(made.spans.at(0)->export_spans({span}, Clock::now() + 10s), SpanDelivery::kAcknowledged)
      << lines();
  EXPECT_EQ(sink.query("/spans")[0]["span"]["name"], "GET \uFFFD\uFFFD");
}

TEST_F(Otlp, SplitsMetricsSoThatEveryPointArrivesOnceInRequestsWithinTheLimit) {
  MetricBatch batch;
  for (int service = 0; service < 5; ++service) {
    std::vector<HistogramPoint> points;
    for (int i = 0; i < 40; ++i)
      points.push_back(s::histogram_point({{"n", std::int64_t{i}}}, {s::exemplar(0.2, 3)}));
    batch.resources.push_back({.resource = s::resource("s" + std::to_string(service), "i"),
                               .metrics = {s::duration_metric(points),
                                           s::gauge_metric("exemplar_agent.memory", service)}});
  }
  constexpr std::size_t kLimit = 4'000;
  std::size_t points = 0;
  const auto requests = encode_metrics(batch, {}, kLimit);
  for (const auto& request : requests) {
    EXPECT_LE(request.request.size(), kLimit);
    points += request.points;
  }
  EXPECT_GT(requests.size(), 5u);
  EXPECT_EQ(points, 5 * 41u);

  OtlpSink sink;
  OtlpSignalSettings settings;
  settings.queue.request_bytes = kLimit;
  auto made = exporters_to(sink.url(), settings);
  made.metrics.at(0)->export_metrics(std::make_shared<const MetricBatch>(batch));
  made.metrics.at(0)->shutdown(Clock::now() + 20s);
  std::set<std::string> different;
  const auto got = sink.query("/metrics");
  for (const auto& one : got)
    different.insert(one.dump());
  EXPECT_EQ(got.size(), 5 * 41u);
  EXPECT_EQ(different.size(), 5 * 41u);
  EXPECT_EQ(sink.query("/requests").size(), requests.size());
}

TEST_F(Otlp, LosesNothingInAnOutage) {
  OtlpSink sink;
  sink.fault({{"status", 503}, {"headers", {{"Retry-After", "0"}}}, {"requests", 3}});
  auto made = exporters_to(sink.url());
  EXPECT_EQ(made.spans.at(0)->export_spans(s::spans(3), Clock::now() + 10s),
            SpanDelivery::kAcknowledged);
  EXPECT_EQ(counters_.get(Counter::kAttemptsRetried), 3u);
  EXPECT_EQ(sink.query("/spans").size(), 3u);
}

TEST_F(Otlp, CountsWhatTheBackendRejects) {
  OtlpSink sink;
  sink.fault({{"reject", 2}});
  sink.fault({{"reject", 50}});
  auto made = exporters_to(sink.url());
  EXPECT_EQ(made.spans.at(0)->export_spans(s::spans(3), Clock::now() + 10s),
            SpanDelivery::kRefused);
  EXPECT_EQ(made.spans.at(0)->export_spans(s::spans(3), Clock::now() + 10s),
            SpanDelivery::kRefused);
  EXPECT_EQ(counters_.get(Counter::kSpansSent), 1u);
  EXPECT_EQ(counters_.get(Counter::kSpansRejected), 5u);
  EXPECT_THAT(lines(), testing::HasSubstr("rejected on request of the test"));
}

class OtlpTls : public Otlp {
 protected:
  void SetUp() override {
    directory_ =
        std::filesystem::path(testing::TempDir()) / ("exa_tls_" + std::to_string(::getpid()));
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string file(const std::string& name) const { return directory_ / name; }

  // NAME.crt and NAME.key, a root of its own.
  void make_certificate(const std::string& name, const std::string& host_ip) const {
    const std::vector<std::string> command = {"openssl",
                                              "req",
                                              "-x509",
                                              "-newkey",
                                              "ec",
                                              "-pkeyopt",
                                              "ec_paramgen_curve:P-256",
                                              "-nodes",
                                              "-keyout",
                                              file(name + ".key"),
                                              "-out",
                                              file(name + ".crt"),
                                              "-subj",
                                              "/CN=" + name,
                                              "-addext",
                                              "subjectAltName=IP:" + host_ip,
                                              "-days",
                                              "2"};
    const auto ended = run(command);
    ASSERT_EQ(ended.code, 0) << ended.output;
  }
  void copy(const std::string& from, const std::string& to) const {
    std::filesystem::copy_file(file(from), file(to) + ".new");
    std::filesystem::rename(file(to) + ".new", file(to));
  }
  Output trusting(const OtlpSink& sink, const std::string& ca) {
    return exporters_to(https_url(sink), {.ca_file = ca});
  }
  static std::string https_url(const OtlpSink& sink) {
    return "https://127.0.0.1:" + std::to_string(sink.port());
  }
  std::filesystem::path directory_;
};

TEST_F(OtlpTls, DeliversToACertificateItTrusts) {
  make_certificate("server", "127.0.0.1");
  OtlpSink sink({"--tls-cert", file("server.crt"), "--tls-key", file("server.key")});
  auto made = trusting(sink, file("server.crt"));
  EXPECT_EQ(made.spans.at(0)->export_spans(s::spans(1), Clock::now() + 10s),
            SpanDelivery::kAcknowledged)
      << lines();
}

TEST_F(OtlpTls, FailsClosedOnACertificateItDoesNotTrust) {
  make_certificate("other", "127.0.0.1");
  make_certificate("stranger", "127.0.0.1");
  make_certificate("elsewhere", "192.0.2.1");
  make_certificate("expired", "127.0.0.1");
  const auto aged = run({"openssl", "x509", "-in", file("expired.crt"), "-signkey",
                         file("expired.key"), "-days", "-1", "-out", file("expired.crt")});
  ASSERT_EQ(aged.code, 0) << aged.output;
  for (const std::string name : {"stranger", "elsewhere", "expired"}) {
    OtlpSink sink({"--tls-cert", file(name + ".crt"), "--tls-key", file(name + ".key")});
    auto made = trusting(sink, file(name == "stranger" ? "other.crt" : name + ".crt"));
    EXPECT_EQ(made.spans.at(0)->export_spans(s::spans(1), Clock::now() + 500ms),
              SpanDelivery::kPending)
        << name;
    made.spans.at(0)->shutdown(Clock::now());
    EXPECT_GE(counters_.get(Counter::kAttemptsRetried), 1u);
  }
  EXPECT_THAT(lines(), testing::HasSubstr("self-signed certificate"));
  EXPECT_THAT(lines(), testing::HasSubstr("no alternative certificate subject name matches"));
  EXPECT_THAT(lines(), testing::HasSubstr("certificate has expired"));
  EXPECT_EQ(counters_.get(Counter::kSpansSent), 0u);
  EXPECT_EQ(counters_.get(Counter::kSpansDroppedShutdown), 3u);
}

TEST_F(OtlpTls, PicksUpCertificatesRotatedOnDisk) {
  make_certificate("server", "127.0.0.1");
  make_certificate("other", "127.0.0.1");
  copy("other.crt", "ca.crt");
  OtlpSink sink({"--tls-cert", file("server.crt"), "--tls-key", file("server.key")});
  auto made = trusting(sink, file("ca.crt"));
  EXPECT_EQ(made.spans.at(0)->export_spans(s::spans(1), Clock::now() + 300ms),
            SpanDelivery::kPending);
  copy("server.crt", "ca.crt");
  EXPECT_EQ(made.spans.at(0)->export_spans(s::spans(1), Clock::now() + 10s),
            SpanDelivery::kAcknowledged)
      << lines();
  EXPECT_EQ(counters_.get(Counter::kSpansSent), 2u);
  // And the other way round, although a connection is open.
  copy("other.crt", "ca.crt");
  EXPECT_EQ(made.spans.at(0)->export_spans(s::spans(1), Clock::now() + 300ms),
            SpanDelivery::kPending);
}

TEST_F(OtlpTls, ShowsItsOwnCertificateToABackendThatAsks) {
  make_certificate("server", "127.0.0.1");
  make_certificate("agent", "127.0.0.1");
  OtlpSink sink({"--tls-cert", file("server.crt"), "--tls-key", file("server.key"), "--client-ca",
                 file("agent.crt")});
  OtlpSignalSettings settings{.ca_file = file("server.crt")};
  {
    auto without = exporters_to(https_url(sink), settings);
    EXPECT_EQ(without.spans.at(0)->export_spans(s::spans(1), Clock::now() + 300ms),
              SpanDelivery::kPending);
  }
  settings.client_certificate_file = file("agent.crt");
  settings.client_key_file = file("agent.key");
  auto with = exporters_to(https_url(sink), settings);
  EXPECT_EQ(with.spans.at(0)->export_spans(s::spans(1), Clock::now() + 10s),
            SpanDelivery::kAcknowledged)
      << lines();
}

}  // namespace
}  // namespace exa
