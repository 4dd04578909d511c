#include "agent/protocol/http1/head.h"

#include <gtest/gtest.h>

#include <string>

namespace exa::http1 {
namespace {

struct Request {
  explicit Request(std::string_view text) : bytes(text), result(parse_request_head(bytes, head)) {}
  std::string bytes;
  RequestHead head;
  ParseResult result;
};
struct Response {
  Response(std::string_view text, Method method = Method::kGet)
      : bytes(text), result(parse_response_head(bytes, method, head)) {}
  std::string bytes;
  ResponseHead head;
  ParseResult result;
};

std::string get(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
std::string ok(const std::string& fields) {
  return "HTTP/1.1 200 OK\r\n" + fields + "\r\n";
}

InvalidReason request_reason(const std::string& text) {
  const Request request(text);
  return request.result.status == ParseStatus::kInvalid ? request.result.reason
                                                        : InvalidReason::kNone;
}
InvalidReason response_reason(const std::string& text) {
  const Response response(text);
  return response.result.status == ParseStatus::kInvalid ? response.result.reason
                                                         : InvalidReason::kNone;
}

TEST(RequestHead, HasMethodPathHostAndVersion) {
  const Request request("GET /a/b?c=d HTTP/1.1\r\nAccept: */*\r\nhOsT:  shop:80 \t\r\n\r\nrest");
  EXPECT_EQ(request.result.status, ParseStatus::kMessage);
  EXPECT_EQ(request.result.consumed_bytes, request.bytes.size() - 4);
  EXPECT_EQ(request.head.method, Method::kGet);
  EXPECT_EQ(request.head.version, Protocol::kHttp11);
  EXPECT_EQ(request.head.path, "/a/b");
  EXPECT_EQ(request.head.host, "shop:80");
  EXPECT_EQ(request.head.body, Framing{});
}

TEST(RequestHead, KnowsTheMethodsAndTakesOthers) {
  const auto method_of = [](const std::string& name) {
    return Request(name + " / HTTP/1.1\r\n\r\n").head.method;
  };
  EXPECT_EQ(method_of("GET"), Method::kGet);
  EXPECT_EQ(method_of("HEAD"), Method::kHead);
  EXPECT_EQ(method_of("POST"), Method::kPost);
  EXPECT_EQ(method_of("PUT"), Method::kPut);
  EXPECT_EQ(method_of("DELETE"), Method::kDelete);
  EXPECT_EQ(method_of("OPTIONS"), Method::kOptions);
  EXPECT_EQ(method_of("TRACE"), Method::kTrace);
  EXPECT_EQ(method_of("PATCH"), Method::kPatch);
  EXPECT_EQ(method_of("QUERY"), Method::kQuery);
  EXPECT_EQ(method_of("CONNECT"), Method::kConnect);
  EXPECT_EQ(method_of("PROPFIND"), Method::kOther);
  EXPECT_EQ(method_of("GETS"), Method::kOther);
}

TEST(RequestHead, TargetHasFourForms) {
  const Request absolute("GET http://user:pw@shop:81/x?y HTTP/1.1\r\nHost: other\r\n\r\n");
  EXPECT_EQ(absolute.head.path, "/x");
  EXPECT_EQ(absolute.head.host, "shop:81") << "the target wins over Host, without userinfo";
  const Request bare("GET http://shop HTTP/1.1\r\n\r\n");
  EXPECT_EQ(bare.head.path, "/");
  const Request query("GET http://shop?x HTTP/1.1\r\n\r\n");
  EXPECT_EQ(query.head.path, "/");
  EXPECT_EQ(query.head.host, "shop");
  const Request asterisk("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(asterisk.head.path, "*");
  const Request all("OPTIONS http://shop HTTP/1.1\r\n\r\n");
  EXPECT_EQ(all.head.path, "*");
  const Request authority("CONNECT shop:443 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(authority.head.path, "");
  EXPECT_EQ(authority.head.host, "shop:443");
  const Request fragment("GET /x#y HTTP/1.1\r\n\r\n");
  EXPECT_EQ(fragment.head.path, "/x");
}

TEST(RequestHead, ToleratesWhatServersTolerate) {
  const Request lf("GET /x HTTP/1.0\nHost: a\n\n");
  EXPECT_EQ(lf.result.status, ParseStatus::kMessage);
  EXPECT_EQ(lf.head.version, Protocol::kHttp10);
  EXPECT_EQ(lf.head.host, "a");
  const Request blank("\r\n\nGET /x HTTP/1.1\r\n\r\n");
  EXPECT_EQ(blank.result.status, ParseStatus::kMessage);
  EXPECT_EQ(blank.head.leading_bytes, 3u);
  EXPECT_EQ(Request("GET /x HTTP/1.7\r\n\r\n").head.version, Protocol::kHttp11);
  EXPECT_EQ(Request(get("X:\r\n")).result.status, ParseStatus::kMessage) << "an empty value";
  EXPECT_EQ(Request(get("X: \xff\x01\r\n")).result.status, ParseStatus::kMessage);
}

TEST(RequestHead, RejectsWhatIsNoRequestLine) {
  EXPECT_EQ(request_reason("get key HTTP/1.1\r\n\r\n"), InvalidReason::kTarget);
  EXPECT_EQ(request_reason("GET /\r\n\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(request_reason("GET HTTP/1.1\r\n\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(request_reason("GET  HTTP/1.1\r\n\r\n"), InvalidReason::kTarget);
  EXPECT_EQ(request_reason("GET / HTTP/2.0\r\n\r\n"), InvalidReason::kVersion);
  EXPECT_EQ(request_reason("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), InvalidReason::kVersion);
  EXPECT_EQ(request_reason("GET / HTTP/1.\r\n\r\n"), InvalidReason::kVersion);
  EXPECT_EQ(request_reason("GET / HTTP/1.10\r\n\r\n"), InvalidReason::kVersion);
  EXPECT_EQ(request_reason("GET /a b HTTP/1.1\r\n\r\n"), InvalidReason::kTarget);
  EXPECT_EQ(request_reason("GET /\tx HTTP/1.1\r\n\r\n"), InvalidReason::kTarget);
  EXPECT_EQ(request_reason("GET nowhere HTTP/1.1\r\n\r\n"), InvalidReason::kTarget);
  EXPECT_EQ(request_reason("EHLO mail.example\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(request_reason("\x16\x03\x01"), InvalidReason::kStartLine) << "without a line end";
  EXPECT_EQ(request_reason("HTTP/1.1 200 OK"), InvalidReason::kStartLine);
  EXPECT_EQ(request_reason(std::string(25, 'A')), InvalidReason::kStartLine);
}

TEST(RequestHead, RejectsSmugglingShapes) {
  EXPECT_EQ(request_reason(get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")),
            InvalidReason::kLengthAndEncoding);
  EXPECT_EQ(request_reason(get("Content-Length: 5\r\nContent-Length: 6\r\n")),
            InvalidReason::kContentLength);
  EXPECT_EQ(request_reason(get("Content-Length: 5, 6\r\n")), InvalidReason::kContentLength);
  for (const char* value : {"+5", "-1", "0x5", "5 5", "", "5,", "five", "5.0",
                            "9999999999999999999", "99999999999999999999999999"})
    EXPECT_EQ(request_reason(get(std::string("Content-Length: ") + value + "\r\n")),
              InvalidReason::kContentLength)
        << value;
  for (const char* value :
       {"xchunked", "chunked, gzip", "chunked, chunked", "identity", "", "chunked;x",
        "\x0b"
        "chunked"})
    EXPECT_EQ(request_reason(get(std::string("Transfer-Encoding: ") + value + "\r\n")),
              InvalidReason::kTransferEncoding)
        << value;
  EXPECT_EQ(request_reason("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            InvalidReason::kTransferEncoding);
  EXPECT_EQ(request_reason(get("Content-Length : 5\r\n")), InvalidReason::kFieldLine);
  EXPECT_EQ(request_reason(get("Content-Length\r\n")), InvalidReason::kFieldLine);
  EXPECT_EQ(request_reason(get(": 5\r\n")), InvalidReason::kFieldLine);
  EXPECT_EQ(request_reason("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), InvalidReason::kFieldLine);
  EXPECT_EQ(request_reason(get("X: a\rContent-Length: 5\r\n")), InvalidReason::kControlCharacter);
  EXPECT_EQ(request_reason(get(std::string("X: a\0b\r\n", 8))), InvalidReason::kControlCharacter);
  EXPECT_EQ(request_reason(get("Content-Length:\r\n 5\r\n")), InvalidReason::kContentLength);
  EXPECT_EQ(request_reason(get("Transfer-Encoding:\r\n chunked\r\n")),
            InvalidReason::kTransferEncoding);
}

TEST(RequestHead, TakesLengthsAndCodings) {
  EXPECT_EQ(Request(get("Content-Length: 005\r\n")).head.body, (Framing{BodyKind::kLength, 5}));
  EXPECT_EQ(Request(get("Content-Length: 5, 5\r\ncontent-length: 5\r\n")).head.body,
            (Framing{BodyKind::kLength, 5}));
  EXPECT_EQ(Request(get("Content-Length: 0\r\n")).head.body, Framing{});
  EXPECT_EQ(Request(get("Content-Length: 9223372036854775799\r\n")).head.body.length_bytes,
            9223372036854775799u);
  EXPECT_EQ(Request(get("Transfer-Encoding: gzip, Chunked\r\n")).head.body.kind,
            BodyKind::kChunked);
  EXPECT_EQ(
      Request(get("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n")).head.body.kind,
      BodyKind::kChunked);
}

TEST(RequestHead, FoldedLinesAreOneField) {
  const Request request(get("X: a\r\n b\r\n\tc\r\nContent-Length: 3\r\n"));
  EXPECT_EQ(request.result.status, ParseStatus::kMessage);
  EXPECT_EQ(request.head.body.length_bytes, 3u);
  const Request context(
      get("traceparent: 00-12345678901234567890123456789012-1234567890123456\r\n -01\r\n"));
  EXPECT_EQ(context.head.context.state(), ContextState::kInvalid);
}

TEST(RequestHead, ReadsExpectAndConnection) {
  const Request request(get("Expect: 100-Continue\r\nConnection: keep-alive, Upgrade\r\n"));
  EXPECT_TRUE(request.head.expect_continue);
  EXPECT_TRUE(request.head.wants_upgrade);
  EXPECT_FALSE(request.head.wants_close);
  EXPECT_TRUE(Request(get("Connection: Close\r\n")).head.wants_close);
}

TEST(ResponseHead, HasStatusAndFraming) {
  const Response response(ok("Content-Length: 5\r\n"));
  EXPECT_EQ(response.result.status, ParseStatus::kMessage);
  EXPECT_EQ(response.head.status, 200);
  EXPECT_EQ(response.head.body, (Framing{BodyKind::kLength, 5}));
  EXPECT_EQ(Response("HTTP/1.1 404\r\n\r\n").head.status, 404);
  EXPECT_EQ(Response("HTTP/1.0 299 \r\n\r\n").head.status, 299);
}

TEST(ResponseHead, RejectsWhatIsNoStatusLine) {
  EXPECT_EQ(response_reason("HTTP/1.1 20\r\n\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(response_reason("HTTP/1.1 2000 OK\r\n\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(response_reason("HTTP/1.1 abc OK\r\n\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(response_reason("HTTP/1.1 099 OK\r\n\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(response_reason("HTTP/2.0 200 OK\r\n\r\n"), InvalidReason::kVersion);
  EXPECT_EQ(response_reason("GET / HTTP/1.1\r\n\r\n"), InvalidReason::kVersion);
  EXPECT_EQ(response_reason(ok("Content-Length: x\r\n")), InvalidReason::kContentLength);
}

TEST(ResponseHead, FramingFollowsMethodAndStatus) {
  const auto kind = [](std::string_view status, const std::string& fields,
                       Method method = Method::kGet) {
    return Response("HTTP/1.1 " + std::string(status) + " X\r\n" + fields + "\r\n", method)
        .head.body.kind;
  };
  const std::string length = "Content-Length: 5\r\n";
  EXPECT_EQ(kind("200", length), BodyKind::kLength);
  EXPECT_EQ(kind("200", length, Method::kHead), BodyKind::kNone);
  EXPECT_EQ(kind("204", length), BodyKind::kNone);
  EXPECT_EQ(kind("304", length), BodyKind::kNone);
  EXPECT_EQ(kind("100", length), BodyKind::kNone);
  EXPECT_EQ(kind("200", ""), BodyKind::kUntilClose);
  EXPECT_EQ(kind("200", "Transfer-Encoding: chunked\r\n"), BodyKind::kChunked);
  EXPECT_EQ(kind("200", "Transfer-Encoding: gzip\r\n"), BodyKind::kUntilClose);
  EXPECT_EQ(kind("200", length + "Transfer-Encoding: chunked\r\n"), BodyKind::kChunked)
      << "clients take the coding";
  EXPECT_EQ(kind("403", length, Method::kConnect), BodyKind::kLength);
}

TEST(ResponseHead, UpgradesEndTheProtocol) {
  EXPECT_EQ(Response("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n").result.status,
            ParseStatus::kUpgraded);
  EXPECT_EQ(Response("HTTP/1.1 200 Established\r\n\r\n", Method::kConnect).result.status,
            ParseStatus::kUpgraded);
  EXPECT_EQ(Response("HTTP/1.1 407 Auth\r\n\r\n", Method::kConnect).result.status,
            ParseStatus::kMessage);
}

TEST(Heads, NeedMoreAtEveryByteBeforeTheEnd) {
  const std::string request =
      "\r\nPOST /a?b HTTP/1.1\r\nHost: shop\r\nX: folded\r\n more\r\nContent-Length: 7\r\n"
      "traceparent: 00-12345678901234567890123456789012-1234567890123456-01\r\n\r\n";
  for (std::size_t size = 0; size < request.size(); ++size) {
    const Request part(request.substr(0, size));
    EXPECT_EQ(part.result.status, ParseStatus::kNeedMore) << size;
  }
  EXPECT_EQ(Request(request).result.consumed_bytes, request.size());
  const std::string response = "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 7\r\n\r\n";
  for (std::size_t size = 0; size < response.size(); ++size)
    EXPECT_EQ(Response(response.substr(0, size)).result.status, ParseStatus::kNeedMore) << size;
}

TEST(CutHead, KeepsWhatIsCertain) {
  const std::string text =
      "GET /long?q HTTP/1.1\r\nHost: shop\r\ntraceparent: 00-12345678901234567890123456789012-12";
  Request request(text);
  ASSERT_EQ(request.result.status, ParseStatus::kNeedMore);
  EXPECT_TRUE(cut_request_head(request.bytes, request.head));
  EXPECT_EQ(request.head.path, "/long");
  EXPECT_EQ(request.head.host, "shop");
  EXPECT_EQ(request.head.body.kind, BodyKind::kUnknown);
  EXPECT_EQ(request.head.context.state(), ContextState::kAbsent) << "never a partial context";

  Request target("GET /very/long/target?with=query&more");
  EXPECT_TRUE(cut_request_head(target.bytes, target.head));
  EXPECT_EQ(target.head.path, "/very/long/target");
  Request other("XYZZY /very/long");
  EXPECT_FALSE(cut_request_head(other.bytes, other.head));

  Response response("HTTP/1.1 302 Found\r\nLocation: /loooong");
  EXPECT_TRUE(cut_response_head(response.bytes, response.head));
  EXPECT_EQ(response.head.status, 302);
  EXPECT_EQ(response.head.body.kind, BodyKind::kUnknown);
  Response digits("HTTP/1.1 20");
  EXPECT_FALSE(cut_response_head(digits.bytes, digits.head));
}

}  // namespace
}  // namespace exa::http1
