#include "exporters/openmetrics/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "exporters/encoding/gzip.h"
#include "exporters/openmetrics/negotiation.h"
#include "tests/unit/exporters/http_client.h"
#include "tests/unit/exporters/samples.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using testing::HasSubstr;
namespace s = samples;

constexpr const char* kPrometheusAccept =
    "Accept: application/openmetrics-text;version=1.0.0,"
    "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,"
    "*/*;q=0.1\r\n";

std::shared_ptr<const MetricBatch> one_batch(std::size_t series = 1) {
  std::vector<HistogramPoint> points;
  for (std::size_t i = 0; i < series; ++i)
    points.push_back(
        s::histogram_point({{"n", static_cast<std::int64_t>(i)}}, {s::exemplar(0.25, 7)}));
  return std::make_shared<const MetricBatch>(s::batch({s::duration_metric(std::move(points))}));
}

class Endpoint : public testing::Test {
 protected:
  void start(PageSettings settings = {}) {
    settings.port = 0;
    auto started = OpenMetricsEndpoint::start(
        {.page = settings}, counters_,
        [this] { return Readiness{.ready = ready_, .reason = "no program is attached"}; },
        LogSink());
    ASSERT_TRUE(started.has_value()) << started.error().text;
    endpoint_ = std::move(*started);
  }
  HttpReply get(const std::string& path, const std::string& headers = "") {
    return ask(endpoint_->port(), "GET " + path, headers);
  }

  ExportCounters counters_;
  std::atomic<bool> ready_ = true;
  std::unique_ptr<OpenMetricsEndpoint> endpoint_;
};

TEST_F(Endpoint, ServesOpenMetricsToPrometheus) {
  start();
  endpoint_->export_metrics(one_batch());
  const auto reply = get("/metrics", kPrometheusAccept);
  EXPECT_EQ(reply.status(), 200);
  EXPECT_THAT(reply.head, HasSubstr("Content-Type: application/openmetrics-text; version=1.0.0; "
                                    "charset=utf-8\r\n"));
  EXPECT_THAT(reply.body, HasSubstr("trace_id=\"4bf92f3577b34da6a3ce929d0e0e4707\""));
  EXPECT_TRUE(reply.body.ends_with("# EOF\n"));
  EXPECT_EQ(counters_.get(ExportCounter::kScrapes), 1u);
  EXPECT_EQ(counters_.get(ExportCounter::kExemplarsOmitted), 0u);
}

TEST_F(Endpoint, ServesTextWithoutExemplarsToOthers) {
  start();
  endpoint_->export_metrics(one_batch());
  const auto reply = get("/metrics");
  EXPECT_THAT(reply.head, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(reply.body, testing::Not(HasSubstr("trace_id")));
  EXPECT_EQ(counters_.get(ExportCounter::kExemplarsOmitted), 1u);
}

TEST_F(Endpoint, ShowsTheSameExemplarToEveryScraperOfABatch) {
  start();
  endpoint_->export_metrics(one_batch());
  const auto first = get("/metrics", kPrometheusAccept);
  EXPECT_EQ(get("/metrics", kPrometheusAccept).body, first.body);
  endpoint_->export_metrics(one_batch());
  EXPECT_EQ(get("/metrics", kPrometheusAccept).body, first.body) << "the bucket has no newer one";
}

TEST_F(Endpoint, PacksWhenAsked) {
  start();
  endpoint_->export_metrics(one_batch());
  const auto plain = get("/metrics", kPrometheusAccept);
  const auto packed = get("/metrics", std::string(kPrometheusAccept) + "Accept-Encoding: gzip\r\n");
  EXPECT_THAT(packed.head, HasSubstr("Content-Encoding: gzip\r\n"));
  EXPECT_EQ(packed.body, *gzip(plain.body));
}

TEST_F(Endpoint, AnswersBeforeTheFirstBatch) {
  start();
  EXPECT_EQ(get("/metrics", kPrometheusAccept).body, "# EOF\n");
  EXPECT_EQ(get("/metrics").body, "");
}

TEST_F(Endpoint, TellsHealthAndReadiness) {
  start();
  EXPECT_EQ(get("/healthz").body, "ok\n");
  EXPECT_EQ(get("/readyz").status(), 200);
  ready_ = false;
  const auto reply = get("/readyz");
  EXPECT_EQ(reply.status(), 503);
  EXPECT_EQ(reply.body, "not ready: no program is attached\n");
  EXPECT_EQ(get("/healthz").status(), 200);
}

TEST_F(Endpoint, AnswersHeadWithoutABodyAndTellsWhatElseThereIs) {
  start();
  endpoint_->export_metrics(one_batch());
  const auto head = ask(endpoint_->port(), "HEAD /metrics");
  EXPECT_EQ(head.status(), 200);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(get("/").body,
            "<!doctype html>\n<html><head><title>exemplar-agent</title></head>\n"
            "<body><h1>exemplar-agent</h1>\n<ul>\n"
            "<li><a href=\"/metrics\">/metrics</a>: OpenMetrics 1.0 with exemplars, or text "
            "0.0.4</li>\n"
            "<li><a href=\"/healthz\">/healthz</a>: the agent is running</li>\n"
            "<li><a href=\"/readyz\">/readyz</a>: the agent is observing requests</li>\n"
            "</ul></body></html>\n");
  EXPECT_EQ(get("/nothing").body, "not found; available are /metrics, /healthz and /readyz\n");
}

TEST_F(Endpoint, StopsAtShutdown) {
  start();
  const auto port = endpoint_->port();
  endpoint_->shutdown(Clock::now());
  endpoint_->shutdown(Clock::now());
  EXPECT_FALSE(connect_to(port).valid());
}

TEST_F(Endpoint, ServesManyScrapersWhileBatchesCome) {
  start();
  std::vector<std::thread> scrapers;
  std::atomic<int> whole = 0;
  for (int i = 0; i < 8; ++i)
    scrapers.emplace_back([&] {
      for (int n = 0; n < 20; ++n)
        if (get("/metrics", kPrometheusAccept).body.ends_with("# EOF\n")) ++whole;
    });
  for (int n = 0; n < 50; ++n)
    endpoint_->export_metrics(one_batch(20));
  for (auto& scraper : scrapers)
    scraper.join();
  EXPECT_EQ(whole, 160);
  EXPECT_EQ(counters_.get(ExportCounter::kScrapes), 160u);
}

TEST(Negotiation, ChoosesByQuality) {
  using enum ScrapeFormat;
  const std::string om = "application/openmetrics-text";
  EXPECT_EQ(negotiate_format(""), kText);
  EXPECT_EQ(negotiate_format("*/*"), kText);
  EXPECT_EQ(negotiate_format(om), kOpenMetrics);
  EXPECT_EQ(negotiate_format("Application/OpenMetrics-Text ; Version=1.0.0"), kOpenMetrics);
  EXPECT_EQ(negotiate_format(om + "; version=\"1.0.0\", text/plain;q=0.5"), kOpenMetrics);
  EXPECT_EQ(negotiate_format("text/plain, " + om + ";q=0.5"), kText);
  EXPECT_EQ(negotiate_format("text/plain;q=0.4, " + om + ";q=0.5"), kOpenMetrics);
  EXPECT_EQ(negotiate_format(om + ";q=0"), kText);
  EXPECT_EQ(negotiate_format(om + ";q=0.000, */*"), kText);
  EXPECT_EQ(negotiate_format(om + ";version=2.0.0"), kText);
  EXPECT_EQ(negotiate_format(om + ";q=nonsense"), kText);
  EXPECT_EQ(negotiate_format(om + ";q=1.1"), kText);
  EXPECT_EQ(negotiate_format(",,;;=,q=1;" + om), kText);
}

TEST(Negotiation, PacksOnlyForThoseWhoTakeIt) {
  EXPECT_TRUE(accepts_gzip("gzip"));
  EXPECT_TRUE(accepts_gzip("deflate, GZIP;q=0.5"));
  EXPECT_TRUE(accepts_gzip("*"));
  EXPECT_FALSE(accepts_gzip(""));
  EXPECT_FALSE(accepts_gzip("identity"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0, *"));
}

}  // namespace
}  // namespace exa
