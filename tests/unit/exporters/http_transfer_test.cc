// One request over libcurl, against servers that answer as badly as they can; and URLs taken apart.
#include "exporters/transfer/http_transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "exporters/transfer/url_parts.h"
#include "tests/unit/exporters/fault_server.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Then = FaultyAnswer::Then;
using testing::HasSubstr;
using testing::Not;

class TextAnswer final : public HttpAnswer {
 public:
  explicit TextAnswer(std::size_t most = 1u << 20) : most_(most) {}
  bool take_header(std::string_view line) override {
    head += line;
    return true;
  }
  bool take_body(std::string_view bytes) override {
    body += bytes;
    return body.size() <= most_;
  }
  std::string head;
  std::string body;

 private:
  const std::size_t most_;
};

class Transfer : public testing::Test {
 protected:
  Transferred get(const std::string& url, std::chrono::milliseconds timeout = 10s) {
    return transfer_->send({.url = url, .headers = headers_, .timeout = timeout}, answer_);
  }
  Transferred post(const std::string& url, std::string_view body) {
    return transfer_->send({.url = url, .headers = headers_, .body = body, .timeout = 10s},
                           answer_);
  }

  HttpHeaders headers_;
  TextAnswer answer_;
  std::unique_ptr<HttpTransfer> transfer_ = *HttpTransfer::make({.user_agent = "a-test/1"});
};

TEST_F(Transfer, PostsABodyAndHandsOnTheAnswer) {
  FaultServer server(
      [](int) { return FaultyAnswer{.bytes = http_answer(201, "X-Made: yes\r\n", "done")}; });
  ASSERT_TRUE(headers_.add("X-Token", "s3cret") && headers_.leave_out("Expect"));
  const auto done = post(server.url() + "/a?b=c", "hello");
  EXPECT_EQ(done.end, TransferEnd::kWhole);
  EXPECT_EQ(done.status, 201);
  EXPECT_THAT(answer_.head, HasSubstr("X-Made: yes\r\n"));
  EXPECT_TRUE(answer_.head.ends_with("\r\n\r\n"));
  EXPECT_EQ(answer_.body, "done");
  const std::string request = server.requests().at(0);
  EXPECT_THAT(request, testing::StartsWith("POST /a?b=c HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("User-Agent: a-test/1\r\n"));
  EXPECT_THAT(request, HasSubstr("X-Token: s3cret\r\n"));
  EXPECT_THAT(request, Not(HasSubstr("Expect")));
  EXPECT_TRUE(request.ends_with("\r\n\r\nhello"));
}

TEST_F(Transfer, KeepsOneConnectionAndNothingOfTheRequestBefore) {
  FaultServer server([](int) { return FaultyAnswer{.bytes = http_answer(200)}; });
  ASSERT_TRUE(headers_.add("X-First", "1"));
  post(server.url(), "hello");
  headers_ = {};
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(get(server.url()).end, TransferEnd::kWhole);
  EXPECT_EQ(server.connections(), 1);
  EXPECT_THAT(server.requests().at(0), HasSubstr("X-First"));
  EXPECT_THAT(server.requests().at(1), testing::StartsWith("GET / HTTP/1.1\r\n"));
  EXPECT_THAT(server.requests().at(1), Not(HasSubstr("X-First")));
}

TEST_F(Transfer, ConnectsAnewOnceACertificateFileHasChanged) {
  FaultServer server([](int) { return FaultyAnswer{.bytes = http_answer(200)}; });
  const auto file = std::filesystem::temp_directory_path() /
                    ("exa_transfer_ca_" + std::to_string(::getpid()) + ".pem");
  std::ofstream(file) << "first";
  transfer_ = *HttpTransfer::make({.user_agent = "a-test/1", .ca_file = file.string()});
  get(server.url());
  get(server.url());
  EXPECT_EQ(server.connections(), 1);
  std::ofstream(file) << "the second one";
  get(server.url());
  EXPECT_EQ(server.connections(), 2);
  std::filesystem::remove(file);
}

TEST_F(Transfer, FollowsNoRedirect) {
  FaultServer elsewhere([](int) { return FaultyAnswer{.bytes = http_answer(200)}; });
  FaultServer server([&](int) {
    return FaultyAnswer{.bytes = http_answer(307, "Location: " + elsewhere.url() + "/\r\n")};
  });
  EXPECT_EQ(get(server.url()).status, 307);
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST_F(Transfer, UsesNoProxyOfTheEnvironment) {
  FaultServer proxy([](int) { return FaultyAnswer{.bytes = http_answer(200)}; });
  FaultServer server([](int) { return FaultyAnswer{.bytes = http_answer(200)}; });
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  EXPECT_EQ(get(server.url()).status, 200);
  ::unsetenv("http_proxy");
  EXPECT_EQ(proxy.connections(), 0);
}

TEST_F(Transfer, TellsAnAnswerCutShortFromAWholeOne) {
  FaultServer server([](int request) {
    return request == 0 ? FaultyAnswer{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab",
                                       .then = Then::kReset}
                        : FaultyAnswer{.bytes = http_answer(200)};
  });
  const auto cut = get(server.url());
  EXPECT_EQ(cut.end, TransferEnd::kBroken);
  EXPECT_EQ(cut.status, 200);
  EXPECT_NE(cut.trouble, "");
  const auto whole = get(server.url());
  EXPECT_EQ(whole.end, TransferEnd::kWhole);
  EXPECT_EQ(whole.trouble, "");
}

TEST_F(Transfer, EndsWhereItsReaderHasEnough) {
  FaultServer server(
      [](int) { return FaultyAnswer{.bytes = "HTTP/1.1 200 OK\r\n\r\n", .endless = true}; });
  TextAnswer little(100);
  const auto url = server.url();
  const auto done = transfer_->send({.url = url, .headers = headers_, .timeout = 10s}, little);
  EXPECT_EQ(done.end, TransferEnd::kBroken);
  EXPECT_EQ(done.status, 200);
  EXPECT_LT(little.body.size(), 1u << 20);
}

TEST_F(Transfer, HasNoStatusWhereNobodyAnswers) {
  std::string url;
  {
    FaultServer gone([](int) { return FaultyAnswer{}; });
    url = gone.url();
  }
  const auto done = get(url);
  EXPECT_EQ(done.end, TransferEnd::kBroken);
  EXPECT_EQ(done.status, 0);
  EXPECT_THAT(done.trouble, HasSubstr("127.0.0.1"));
}

TEST_F(Transfer, GivesUpAtItsTimeout) {
  FaultServer server([](int) { return FaultyAnswer{.bytes = "", .then = Then::kHold}; });
  const auto began = Clock::now();
  EXPECT_EQ(get(server.url(), 200ms).end, TransferEnd::kBroken);
  EXPECT_LT(Clock::now() - began, 5s);
}

TEST_F(Transfer, EndsByTheTimeItIsGivenMeanwhileAndEverAfter) {
  FaultServer server([](int) { return FaultyAnswer{.bytes = "", .then = Then::kHold}; });
  const auto began = Clock::now();
  std::thread stopper([&] {
    server.wait_for_requests(1);
    transfer_->finish_by(Clock::now());
  });
  EXPECT_EQ(get(server.url()).end, TransferEnd::kStopped);
  stopper.join();
  EXPECT_EQ(get(server.url()).end, TransferEnd::kStopped);
  EXPECT_LT(Clock::now() - began, 5s);
}

TEST(Headers, MayNotSplitARequest) {
  EXPECT_TRUE(header_allowed("api-key", "a b\tc"));
  EXPECT_TRUE(header_allowed("x", ""));
  for (const auto& [name, value] :
       {std::pair("a", "b\r\nX: y"), {"a b", "c"}, {"", "c"}, {"a\n", "c"}, {"a:", "c"}})
    EXPECT_FALSE(header_allowed(name, value)) << name << ": " << value;
}

TEST(Urls, AreTakenApart) {
  const auto parts = url_parts("https://user:hunter2@h:1/p/v1/traces?token=x#y");
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->url, "https://user:hunter2@h:1/p/v1/traces?token=x");
  EXPECT_EQ(parts->display, "https://h:1/p/v1/traces");
  const auto place = [](const char* url) {
    const auto made = url_parts(url);
    return made->host + " " + std::to_string(made->port);
  };
  EXPECT_EQ(place("http://collector:4318/otlp"), "collector 4318");
  EXPECT_EQ(place("http://collector"), "collector 80");
  EXPECT_EQ(place("https://user:secret@[2001:db8::1]"), "[2001:db8::1] 443");
}

TEST(Urls, AreOfHttpAndNeverRepeated) {
  for (const char* bad : {"ftp://hunter2@h", "http://", "http://hunter2@h:99999",
                          "file:///etc/hunter2", "h:4318", ""}) {
    const auto parts = url_parts(bad);
    ASSERT_FALSE(parts.has_value()) << bad;
    EXPECT_THAT(parts.error().text, Not(HasSubstr("hunter2")));
  }
}

}  // namespace
}  // namespace exa
