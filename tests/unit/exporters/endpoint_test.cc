#include "exporters/openmetrics/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

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
  void start(EndpointSettings settings = {}) {
    settings.port = 0;
    auto started = OpenMetricsEndpoint::start(
        settings, counters_,
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

TEST_F(Endpoint, HasAPageAtTheRootAndNothingElsewhere) {
  start();
  EXPECT_THAT(get("/").body, HasSubstr("/metrics"));
  EXPECT_EQ(get("/metrics/").status(), 404);
  EXPECT_EQ(get("/../etc/passwd").status(), 404);
  EXPECT_THAT(get("/nothing").head, HasSubstr("text/plain"));
}

TEST_F(Endpoint, TakesGetAndHeadOnly) {
  start();
  endpoint_->export_metrics(one_batch());
  const auto head = ask(endpoint_->port(), "HEAD /metrics");
  EXPECT_EQ(head.status(), 200);
  EXPECT_EQ(head.body, "");
  for (const char* method : {"PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const auto reply = ask(endpoint_->port(), std::string(method) + " /metrics");
    EXPECT_EQ(reply.status(), 405) << method;
    EXPECT_THAT(reply.head, HasSubstr("Allow: GET, HEAD\r\n"));
  }
  const UniqueFd fd = connect_to(endpoint_->port());
  send_text(fd,
            "POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            "Content-Length: 5\r\n\r\nhello");
  EXPECT_THAT(read_all(fd), HasSubstr(" 405 "));
}

TEST_F(Endpoint, OutlivesHugeAndMalformedRequests) {
  start();
  for (const std::string& request :
       {"GET /" + std::string(1 << 20, 'a') + " HTTP/1.1\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nX: " + std::string(1 << 20, 'a') + "\r\n\r\n",
        std::string(1 << 20, '\0'), std::string("\r\n\r\n\r\n"), std::string("GET\r\n\r\n"),
        std::string("GET /metrics HTTP/9.9\r\n\r\n"),
        std::string("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"),
        std::string(
            "POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")}) {
    const UniqueFd fd = connect_to(endpoint_->port());
    send_text(fd, request);
    ::shutdown(fd.get(), SHUT_WR);
    read_all(fd);
  }
  EXPECT_EQ(get("/healthz").status(), 200);
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

// Idle connections, and slow ones that send a byte now and then, keep no scraper out.
TEST_F(Endpoint, StaysFastBehindAThousandIdleConnections) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 8192);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  ASSERT_GE(files.rlim_cur, 4096u) << "the limit of open files is too low for this test";
  start();
  endpoint_->export_metrics(one_batch(100));
  std::vector<UniqueFd> idle;
  for (int i = 0; i < 1'500; ++i) {
    idle.push_back(connect_to(endpoint_->port()));
    ASSERT_TRUE(idle.back().valid()) << i;
    if (i % 2 == 0) send_text(idle.back(), "GET /metrics HTTP/1.1\r\nX: ");
    if (i % 250 != 249) continue;
    const auto began = Clock::now();
    const auto reply = get("/metrics", kPrometheusAccept);
    EXPECT_LT(Clock::now() - began, 5s) << "with " << i + 1 << " connections";
    ASSERT_EQ(reply.status(), 200);
    EXPECT_TRUE(reply.body.ends_with("# EOF\n"));
  }
}

TEST_F(Endpoint, StopsAtShutdown) {
  start();
  const auto port = endpoint_->port();
  endpoint_->shutdown(Clock::now());
  endpoint_->shutdown(Clock::now());
  EXPECT_FALSE(connect_to(port).valid());
}

TEST_F(Endpoint, SaysWhatToDoWhenThePortIsTaken) {
  start();
  EndpointSettings settings;
  settings.port = endpoint_->port();
  const auto second = OpenMetricsEndpoint::start(settings, counters_, {}, {});
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error().text, HasSubstr("127.0.0.1:" + std::to_string(settings.port)));
  EXPECT_THAT(second.error().text, HasSubstr("--openmetrics HOST:PORT"));
  settings.host = "203.0.113.1";
  EXPECT_THAT(OpenMetricsEndpoint::start(settings, counters_, {}, {}).error().text,
              HasSubstr("this host has no such address"));
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
