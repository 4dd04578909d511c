#include "agent/protocol/http1/head.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace exa::http1 {
namespace {

const ContextHeaders kContexts({Propagator::kW3c});

struct Request {
  explicit Request(std::string_view text)
      : bytes(text), result(parse_request_head(bytes, kContexts, head)) {}
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
// Of a head that counts although it breaks a rule.
InvalidReason breach_of(const std::string& text) {
  const Request request(text);
  EXPECT_EQ(request.result.status, ParseStatus::kMessage) << text;
  return request.result.reason;
}
// The same, where readers would disagree about the body.
InvalidReason dispute_of(const std::string& text) {
  EXPECT_EQ(Request(text).head.body.kind, BodyKind::kDisputed) << text;
  return breach_of(text);
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
  EXPECT_EQ(request.head.version, ProtocolVersion::k11);
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
  EXPECT_EQ(lf.head.version, ProtocolVersion::k10);
  EXPECT_EQ(lf.head.host, "a");
  const Request blank("\r\n\nGET /x HTTP/1.1\r\n\r\n");
  EXPECT_EQ(blank.result.status, ParseStatus::kMessage);
  EXPECT_EQ(blank.head.leading_bytes, 3u);
  EXPECT_EQ(Request("GET /x HTTP/1.7\r\n\r\n").head.version, ProtocolVersion::k11);
  EXPECT_EQ(Request(get("X:\r\n")).result.status, ParseStatus::kMessage) << "an empty value";
  EXPECT_EQ(Request(get("X: \xff\x01\r\n")).result.status, ParseStatus::kMessage);
}

TEST(RequestHead, RejectsWhatIsNoRequestLine) {
  EXPECT_EQ(request_reason("get key HTTP/1.1\r\n\r\n"), InvalidReason::kTarget);
  EXPECT_EQ(request_reason("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), InvalidReason::kVersion);
  EXPECT_EQ(request_reason("GET key\r\n\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(request_reason("XYZZY /key\r\n\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(request_reason("PROXY TCP4 a b HTTP/1.1\r\n\r\n"), InvalidReason::kTarget);
  EXPECT_EQ(request_reason("OPTIONS * RTSP/1.0\r\n\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(request_reason("OPTIONS sip:a@b SIP/2.0\r\n\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(request_reason("CONNECT {\"verbose\":false}\r\n\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(request_reason("EHLO mail.example\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(request_reason("\x16\x03\x01"), InvalidReason::kStartLine) << "without a line end";
  EXPECT_EQ(request_reason("HTTP/1.1 200 OK"), InvalidReason::kStartLine);
  EXPECT_EQ(request_reason(std::string(25, 'A')), InvalidReason::kStartLine);
}

TEST(RequestHead, TakesACredibleLineForWhatAServerWouldAnswer) {
  struct Row {
    std::string line;
    InvalidReason breach;
    std::string path;
    ProtocolVersion version;
  };
  const auto target = InvalidReason::kTarget;
  const auto version = InvalidReason::kVersion;
  const std::vector<Row> rows = {
      {"GET /a b HTTP/1.1", target, "/a", ProtocolVersion::k11},
      {"GET  /a  HTTP/1.1 ", target, "/a", ProtocolVersion::k11},
      {"GET /a\tb HTTP/1.0", target, "/a", ProtocolVersion::k10},
      {"GET /e\x1b[31m HTTP/1.1", target, "/e", ProtocolVersion::k11},
      {"GET\t/tab\tHTTP/1.1", target, "/tab", ProtocolVersion::k11},
      {"get /a b HTTP/1.1", target, "/a", ProtocolVersion::k11},
      {"PURGE nowhere HTTP/1.1", target, "nowhere", ProtocolVersion::k11},
      {"GET rel/path?q HTTP/1.1", target, "rel/path", ProtocolVersion::k11},
      {"GET who:secret@shop HTTP/1.1", target, "", ProtocolVersion::k11},
      {"GET /a HTTP/2.0", version, "/a", ProtocolVersion::kUnknown},
      {"GET /a HTTP/1.", version, "/a", ProtocolVersion::kUnknown},
      {"GET /a HTTP/1.10", version, "/a", ProtocolVersion::kUnknown},
      {"GET /a http/1.1", version, "/a", ProtocolVersion::kUnknown},
      {"GET /a b HTTP/3.0", version, "/a", ProtocolVersion::kUnknown},
  };
  for (const auto& row : rows) {
    const Request request(row.line + "\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
    EXPECT_EQ(request.result.status, ParseStatus::kMessage) << row.line;
    EXPECT_EQ(request.result.consumed_bytes, request.bytes.size()) << row.line;
    EXPECT_EQ(request.result.reason, row.breach) << row.line;
    EXPECT_EQ(request.head.path, row.path) << row.line;
    EXPECT_EQ(request.head.version, row.version) << row.line;
    EXPECT_EQ(request.head.host, "a") << row.line;
    EXPECT_EQ(request.head.body, (Framing{BodyKind::kLength, 3})) << row.line;
  }
}

TEST(RequestHead, ALineThatMayBeAllOfARequestLeavesTheBodyOpen) {
  EXPECT_EQ(dispute_of("GET /\r\n\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(dispute_of("GET /a b\r\n\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(dispute_of("GET HTTP/1.1\r\n\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(dispute_of("GET  HTTP/1.1\r\n\r\n"), InvalidReason::kStartLine);
  EXPECT_EQ(dispute_of("GET /cr HTTP/1.1\rHost: t\r\n\r\n"), InvalidReason::kControlCharacter);
  EXPECT_EQ(dispute_of(std::string("GET /a\0b HTTP/1.1\r\n\r\n", 22)), InvalidReason::kStartLine);
}

TEST(RequestHead, LinesThatAreNoFieldsArePassedOver) {
  for (const char* line :
       {"garbage", "X-Foo[bar]: 1", "X-Foo : 1", ": 1", " leading: blank", "garbage\r\n goes on"}) {
    const auto odd = std::string("GET /x HTTP/1.1\r\n") + line + "\r\nHost: a\r\n";
    const Request request(odd + "\r\n");
    EXPECT_EQ(request.result.status, ParseStatus::kMessage) << line;
    EXPECT_EQ(request.result.reason, InvalidReason::kFieldLine) << line;
    EXPECT_EQ(request.head.host, "a") << line;
    EXPECT_EQ(request.head.body, Framing{}) << line;
    EXPECT_EQ(dispute_of(odd + "Content-Length: 5\r\n\r\n"), InvalidReason::kFieldLine)
        << "who ends the head at such a line knows of no body";
  }
}

TEST(RequestHead, OfTheContextOnlyItsOwnLineMustBeValid) {
  const std::string context = "00-12345678901234567890123456789012-1234567890123456-01\r\n";
  const auto state_of = [](const std::string& fields) {
    return Request(get(fields)).head.context.state();
  };
  EXPECT_EQ(state_of("garbage\r\ntraceparent: " + context), ContextState::kValid);
  EXPECT_EQ(state_of("traceparent : " + context), ContextState::kAbsent);
  EXPECT_EQ(state_of("X: a\rtraceparent: " + context), ContextState::kAbsent);
  EXPECT_EQ(state_of("garbage\r\n traceparent: " + context), ContextState::kAbsent);
}

TEST(RequestHead, SmugglingShapesLeaveTheBodyOpen) {
  EXPECT_EQ(dispute_of(get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")),
            InvalidReason::kLengthAndEncoding);
  EXPECT_EQ(dispute_of(get("Content-Length: 5\r\nContent-Length: 6\r\n")),
            InvalidReason::kContentLength);
  EXPECT_EQ(dispute_of(get("Content-Length: 5, 6\r\n")), InvalidReason::kContentLength);
  for (const char* value : {"+5", "-1", "0x5", "5 5", "", "5,", "five", "5.0",
                            "9999999999999999999", "99999999999999999999999999"})
    EXPECT_EQ(dispute_of(get(std::string("Content-Length: ") + value + "\r\n")),
              InvalidReason::kContentLength)
        << value;
  for (const char* value :
       {"xchunked", "chunked, gzip", "chunked, chunked", "identity", "", "chunked;x",
        "\x0b"
        "chunked"})
    EXPECT_EQ(dispute_of(get(std::string("Transfer-Encoding: ") + value + "\r\n")),
              InvalidReason::kTransferEncoding)
        << value;
  EXPECT_EQ(dispute_of("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            InvalidReason::kTransferEncoding);
  EXPECT_EQ(dispute_of(get("Content-Length : 5\r\n")), InvalidReason::kFieldLine);
  EXPECT_EQ(dispute_of(get("Content-Length\r\n")), InvalidReason::kFieldLine);
  EXPECT_EQ(dispute_of(get("X\r\n Content-Length: 5\r\n")), InvalidReason::kFieldLine);
  EXPECT_EQ(dispute_of(get("Transfer-Encoding\x0b: chunked\r\n")), InvalidReason::kFieldLine);
  EXPECT_EQ(dispute_of("GET / HTTP/2.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            InvalidReason::kTransferEncoding);
  EXPECT_EQ(dispute_of(get("X: a\rContent-Length: 5\r\n")), InvalidReason::kControlCharacter);
  EXPECT_EQ(dispute_of(get(std::string("X: a\0b\r\n", 8))), InvalidReason::kControlCharacter);
  EXPECT_EQ(dispute_of(get("Content-Length:\r\n 5\r\n")), InvalidReason::kContentLength);
  EXPECT_EQ(dispute_of(get("Transfer-Encoding:\r\n chunked\r\n")),
            InvalidReason::kTransferEncoding);
  EXPECT_TRUE(Request(get("X: a\r\rGET / HTTP/1.1\r\r\n")).head.hides_request);
  EXPECT_FALSE(Request(get("X: a\r\n")).head.hides_request);
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
}

TEST(ResponseHead, LinesThatAreNoFieldsArePassedOver) {
  const Response odd(ok("garbage\r\n: x\r\nContent-Length: 5\r\n"));
  EXPECT_EQ(odd.result.status, ParseStatus::kMessage);
  EXPECT_EQ(odd.result.reason, InvalidReason::kFieldLine);
  EXPECT_EQ(odd.head.body, (Framing{BodyKind::kLength, 5}));
  for (const char* fields :
       {"Content-Length: x\r\n", "Content-Length : 5\r\n", "X: a\rb\r\n",
        "Content-Length: 1\r\nContent-Length: 2\r\n", "Transfer-Encoding: chunked, chunked\r\n"}) {
    const Response disputed(ok(fields));
    EXPECT_EQ(disputed.result.status, ParseStatus::kMessage) << fields;
    EXPECT_EQ(disputed.head.status, 200) << fields;
    EXPECT_EQ(disputed.head.body.kind, BodyKind::kDisputed) << fields;
    EXPECT_EQ(Response(ok(fields), Method::kHead).head.body.kind, BodyKind::kNone) << fields;
  }
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
  const std::string odd =
      "GET /a b HTTP/2.0 \r\ngarbage\r\n on\r\n: x\r\nX: a\rb\r\nY: a\r\n c\rd\r\n\r\n";
  for (std::size_t size = 0; size < odd.size(); ++size)
    EXPECT_EQ(Request(odd.substr(0, size)).result.status, ParseStatus::kNeedMore) << size;
  EXPECT_EQ(Request(odd).result.consumed_bytes, odd.size());
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
