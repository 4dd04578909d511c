// The HTTP server of the endpoint, with routes of a test.
#include "exporters/page/page_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <vector>

#include "exporters/page/health_routes.h"
#include "tests/unit/exporters/http_client.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using testing::HasSubstr;

class Page : public testing::Test {
 protected:
  void start(PageSettings settings = {}) {
    settings.port = 0;
    auto started = PageServer::start(
        settings,
        {{.path = "/text",
          .what = "a text",
          .answer =
              [](const PageRequest& request) {
                return text_answer(200, "hello " + std::string(request.header("X-Name")));
              }},
         {.path = "/shared",
          .what = "what others hold too",
          .answer =
              [this](const PageRequest&) {
                return PageAnswer{
                    .headers = {{"X-Kind", "shared"}}, .body = *shared_, .owner = shared_};
              }}},
        LogSink());
    ASSERT_TRUE(started.has_value()) << started.error().text;
    server_ = std::move(*started);
  }
  HttpReply get(const std::string& path, const std::string& headers = "") {
    return ask(server_->port(), "GET " + path, headers);
  }

  std::shared_ptr<const std::string> shared_ =
      std::make_shared<const std::string>(std::string(100'000, 's'));
  std::unique_ptr<PageServer> server_;
};

TEST_F(Page, AnswersEachRouteWithWhatStandsThere) {
  start();
  const auto text = get("/text", "X-Name: you\r\n");
  EXPECT_EQ(text.status(), 200);
  EXPECT_EQ(text.body, "hello you");
  EXPECT_THAT(text.head, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(text.head, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
  EXPECT_EQ(get("/text").body, "hello ") << "a header that was not sent is empty";
}

TEST_F(Page, LetsGoOfABodyOnceItIsWritten) {
  start();
  const auto shared = get("/shared");
  EXPECT_EQ(shared.body, *shared_);
  EXPECT_THAT(shared.head, HasSubstr("X-Kind: shared\r\n"));
  server_->stop();
  EXPECT_EQ(shared_.use_count(), 1);
}

TEST_F(Page, ListsItsRoutesAtTheRootAndHasNothingElsewhere) {
  start();
  EXPECT_THAT(get("/").body, HasSubstr("<li><a href=\"/text\">/text</a>: a text</li>\n"));
  EXPECT_THAT(get("/").head, HasSubstr("text/html"));
  EXPECT_EQ(get("/text/").status(), 404);
  EXPECT_EQ(get("/../etc/passwd").status(), 404);
  const auto nothing = get("/nothing");
  EXPECT_EQ(nothing.body, "not found; available are /text and /shared\n");
  EXPECT_THAT(nothing.head, HasSubstr("text/plain"));
}

TEST_F(Page, TakesGetAndHeadOnly) {
  start();
  const auto head = ask(server_->port(), "HEAD /text");
  EXPECT_EQ(head.status(), 200);
  EXPECT_EQ(head.body, "");
  for (const char* method : {"PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const auto reply = ask(server_->port(), std::string(method) + " /text");
    EXPECT_EQ(reply.status(), 405) << method;
    EXPECT_THAT(reply.head, HasSubstr("Allow: GET, HEAD\r\n"));
  }
  const UniqueFd fd = connect_to(server_->port());
  send_text(fd,
            "POST /text HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            "Content-Length: 5\r\n\r\nhello");
  EXPECT_THAT(read_all(fd), HasSubstr(" 405 "));
}

TEST_F(Page, OutlivesHugeAndMalformedRequests) {
  start();
  for (const std::string& request :
       {"GET /" + std::string(1 << 20, 'a') + " HTTP/1.1\r\n\r\n",
        "GET /text HTTP/1.1\r\nX: " + std::string(1 << 20, 'a') + "\r\n\r\n",
        std::string(1 << 20, '\0'), std::string("\r\n\r\n\r\n"), std::string("GET\r\n\r\n"),
        std::string("GET /text HTTP/9.9\r\n\r\n"),
        std::string("POST /text HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"),
        std::string(
            "POST /text HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")}) {
    const UniqueFd fd = connect_to(server_->port());
    send_text(fd, request);
    ::shutdown(fd.get(), SHUT_WR);
    read_all(fd);
  }
  EXPECT_EQ(get("/text").status(), 200);
}

// Idle connections, and slow ones that send a byte now and then, keep nobody out.
TEST_F(Page, StaysFastBehindAThousandIdleConnections) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 8192);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  ASSERT_GE(files.rlim_cur, 4096u) << "the limit of open files is too low for this test";
  start();
  std::vector<UniqueFd> idle;
  for (int i = 0; i < 1'500; ++i) {
    idle.push_back(connect_to(server_->port()));
    ASSERT_TRUE(idle.back().valid()) << i;
    if (i % 2 == 0) send_text(idle.back(), "GET /text HTTP/1.1\r\nX: ");
    if (i % 250 != 249) continue;
    const auto began = Clock::now();
    const auto reply = get("/shared");
    EXPECT_LT(Clock::now() - began, 5s) << "with " << i + 1 << " connections";
    ASSERT_EQ(reply.status(), 200);
    EXPECT_EQ(reply.body, *shared_);
  }
}

TEST_F(Page, StopsOnceAndForAll) {
  start();
  const auto port = server_->port();
  server_->stop();
  server_->stop();
  EXPECT_FALSE(connect_to(port).valid());
}

TEST_F(Page, SaysWhatToDoWhenThePortIsTaken) {
  start();
  PageSettings settings;
  settings.port = server_->port();
  const auto second = PageServer::start(settings, {}, {});
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error().text, HasSubstr("127.0.0.1:" + std::to_string(settings.port)));
  EXPECT_THAT(second.error().text, HasSubstr("--openmetrics HOST:PORT"));
  settings.host = "203.0.113.1";
  EXPECT_THAT(PageServer::start(settings, {}, {}).error().text,
              HasSubstr("this host has no such address"));
}

TEST(HealthRoutes, TellReadinessAsItIsNow) {
  bool ready = true;
  const auto routes =
      health_routes([&] { return Readiness{.ready = ready, .reason = "no program is attached"}; });
  const PageRequest request(nullptr);
  ASSERT_EQ(routes.size(), 2u);
  EXPECT_EQ(routes[0].answer(request).body, "ok\n");
  EXPECT_EQ(routes[1].answer(request).status, 200u);
  EXPECT_EQ(routes[1].answer(request).body, "ready\n");
  ready = false;
  EXPECT_EQ(routes[1].answer(request).status, 503u);
  EXPECT_EQ(routes[1].answer(request).body, "not ready: no program is attached\n");
  EXPECT_EQ(routes[0].answer(request).status, 200u);
  EXPECT_EQ(health_routes({})[1].answer(request).status, 200u);
}

}  // namespace
}  // namespace exa
