// The pure pieces of the BPF programs, compiled for the host.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "agent/protocol/http1/method.h"
#include "agent/semantics/http.h"
#include "bpf/lib/head_end.h"
#include "bpf/lib/last_bytes.h"
#include "bpf/lib/ring_share.h"
#include "bpf/lib/decision.h"

namespace {

std::uint64_t word_of(std::string_view text) {
  std::uint64_t word = 0;
  std::memcpy(&word, text.data(), std::min<std::size_t>(text.size(), 8));
  return word;
}

// A ring of 1024 bytes of which 600 are unread leaves 351 to whoever wrote nothing yet: 424 parts
// of the 512 above the mark, of 424.
TEST(RingShare, OfAProcessIsWhatIsFree) {
  EXPECT_FALSE(exa_ring_is_crowded(512, 1024));
  EXPECT_TRUE(exa_ring_is_crowded(513, 1024));
  exa_ring_share noisy{}, quiet{};
  EXPECT_TRUE(exa_ring_share_grants(&noisy, 1024, 0, 600, 200));
  EXPECT_FALSE(exa_ring_share_grants(&noisy, 1024, 0, 800, 100)) << "300 of 98";
  EXPECT_EQ(noisy.bytes, 200u) << "what was refused is not counted";
  EXPECT_TRUE(exa_ring_share_grants(&quiet, 1024, 0, 800, 100));
  EXPECT_FALSE(exa_ring_share_grants(&quiet, 1024, 0, 900, 10)) << "110 of 30";
  EXPECT_TRUE(exa_ring_share_grants(&noisy, 1024, 0, 1000, 100)) << "a full ring is no share";
}

TEST(RingShare, IsCountedAnewWithEachQuarterThatWasRead) {
  exa_ring_share share{};
  EXPECT_TRUE(exa_ring_share_grants(&share, 1024, 255, 600, 400));
  EXPECT_FALSE(exa_ring_share_grants(&share, 1024, 255, 600, 100));
  EXPECT_TRUE(exa_ring_share_grants(&share, 1024, 256, 600, 100));
}

TEST(RingShare, SeveralNoisyProcessesLeaveRoomForAQuietOne) {
  exa_ring_share noisy[8]{};
  exa_ring_share quiet{};
  std::uint64_t unread = 513 << 10;
  for (int round = 0; round < 10'000; ++round)
    for (auto& share : noisy)
      if (exa_ring_share_grants(&share, 1 << 20, 0, unread, 100)) unread += 100;
  EXPECT_LT(unread, (1 << 20) - 50'000);
  EXPECT_TRUE(exa_ring_share_grants(&quiet, 1 << 20, 0, unread, 10'000));
}

// Each for its slice of the processor, with the heads that fill a ring fastest.
TEST(RingShare, ManyNoisyProcessesOneAfterAnotherLeaveRoomToo) {
  exa_ring_share noisy[32]{};
  exa_ring_share quiet{};
  std::uint64_t unread = (2 << 20) + 1;
  for (auto& share : noisy)
    while (unread + 4'200 <= 4 << 20 && exa_ring_share_grants(&share, 4 << 20, 0, unread, 4'200))
      unread += 4'200;
  EXPECT_LT(unread, (4 << 20) - 50'000);
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(exa_ring_share_grants(&quiet, 4 << 20, 0, unread, 200));
}

TEST(Sniff, KnowsTheMethodsAndNothingElse) {
  for (const std::string_view head :
       {"GET / HT", "PUT /a H", "POST / H", "HEAD / H", "DELETE /", "OPTIONS ", "PATCH / ",
        "CONNECT ", "TRACE / ", "QUERY / "})
    EXPECT_TRUE(exa_sniff_request(word_of(head))) << head;
  for (const std::string_view body :
       {"", "G", "GET", "GETX / H", "POSTS / ", "POST", "PRI / HT", "get / HT", "DELETED ",
        "HTTP/1.1", " GET / H", "OPTIONS/", "TRACED /", "\x16\x03\x01"})
    EXPECT_FALSE(exa_sniff_request(word_of(body))) << body;
}

// All that the parser tells apart; method_text() has a name for each, or does not compile.
std::vector<std::string> methods_of_the_parser() {
  std::vector<std::string> methods;
  for (int value = 0; value <= UINT8_MAX; ++value) {
    const auto method = static_cast<exa::Method>(value);
    const std::string name(exa::method_text(method));
    if (name != exa::method_text(exa::Method::kOther) && exa::http1::parse_method(name) == method)
      methods.push_back(name);
  }
  return methods;
}

TEST(Sniff, KnowsEveryMethodOfTheParser) {
  const auto methods = methods_of_the_parser();
  EXPECT_GE(methods.size(), 10u);
  for (const auto& method : methods) {
    const auto head = method + " /path HTTP/1.1";
    EXPECT_TRUE(exa_sniff_request(word_of(head))) << head;
    EXPECT_TRUE(exa_sniff_start(static_cast<__u32>(word_of(head)))) << head;
  }
  EXPECT_TRUE(exa_sniff_start(static_cast<__u32>(word_of("HTTP/1.1"))));
  for (const std::string_view other : {"", "get ", "GETX", "x\r\n\r", "LINK", "BREW", "{\"a\""})
    EXPECT_FALSE(exa_sniff_start(static_cast<__u32>(word_of(other)))) << other;
}

TEST(Sniff, KnowsAStatusLine) {
  EXPECT_TRUE(exa_sniff_response(word_of("HTTP/1.1 200")));
  EXPECT_TRUE(exa_sniff_response(word_of("HTTP/1.0")));
  EXPECT_FALSE(exa_sniff_response(word_of("HTTP/2.0")));
  EXPECT_FALSE(exa_sniff_response(word_of("HTTP/1")));
}

TEST(Sniff, IsLenientAboutTheFirstByte) {
  for (const std::string_view text : {"G", "\r\nGET /", "\n", "Z"})
    EXPECT_TRUE(exa_sniff_lenient(word_of(text))) << text;
  for (const std::string_view text : {"", "g", "{", "1f\r\n", "@"})
    EXPECT_FALSE(exa_sniff_lenient(word_of(text))) << text;
}

TEST(Sniff, KnowsATlsHandshakeRecord) {
  EXPECT_TRUE(exa_sniff_tls(word_of(std::string_view("\x16\x03\x01\x02\x00", 5))));
  EXPECT_FALSE(exa_sniff_tls(word_of("\x17\x03\x03")));
  // Application data, as the first that is seen of an older connection: with a length that can be.
  EXPECT_TRUE(exa_sniff_tls(word_of(std::string_view("\x17\x03\x03\x00\x14", 5))));
  EXPECT_TRUE(exa_sniff_tls(word_of(std::string_view("\x17\x03\x03\x41\x00", 5))));
  EXPECT_FALSE(exa_sniff_tls(word_of(std::string_view("\x17\x03\x03\x41\x01", 5))));
  EXPECT_FALSE(exa_sniff_tls(word_of(std::string_view("\x17\x03\x01\x00\x14", 5))));
  EXPECT_FALSE(exa_sniff_tls(word_of(std::string_view("\x15\x03\x03\x00\x02", 5))));
}

TEST(Sniff, KnowsThePrefaceOfHttp2) {
  EXPECT_TRUE(exa_sniff_http2(word_of("PRI * HTTP/2.0")));
  EXPECT_FALSE(exa_sniff_http2(word_of("PRI * ")));
}

TEST(Sniff, KnowsMethodsInLowerCaseAtATurnOnly) {
  EXPECT_TRUE(exa_sniff_word(word_of("get /")));
  EXPECT_TRUE(exa_sniff_word(word_of("\r\nGET")));
  EXPECT_FALSE(exa_sniff_word(word_of("{\"a\"")));
}

TEST(Sniff, KnowsAClientHello) {
  EXPECT_TRUE(exa_sniff_client_hello(word_of(std::string_view("\x16\x03\x01\x02\x00\x01\0\1", 8))));
  EXPECT_FALSE(exa_sniff_client_hello(word_of(std::string_view("\x16\x03\x03\x00\x7a\x02\0\1", 8))))
      << "of a server";
  EXPECT_FALSE(exa_sniff_client_hello(word_of("\x16\x03")));
}

class LastBytes : public testing::Test {
 protected:
  // Notes each text as one chunk; whether the last one ends a chunked body.
  bool ends(std::initializer_list<std::string_view> chunks) {
    exa_run run{};
    bool last = false;
    for (const auto text : chunks) {
      const auto tail = text.substr(text.size() - std::min<std::size_t>(text.size(), 8));
      last = exa_note_last(&run, word_of(tail), static_cast<__u32>(tail.size()),
                           static_cast<__u32>(text.size()));
    }
    last_ = run.last;
    return last;
  }
  __u64 last_ = 0;
};

TEST_F(LastBytes, EndAChunkedBody) {
  EXPECT_TRUE(ends({"hello\r\n0\r\n\r\n"}));
  EXPECT_TRUE(ends({"0\r\n\r\n"})) << "all of one write";
  EXPECT_TRUE(ends({"hello\r\n", "0\r\n\r\n"}));
  EXPECT_TRUE(ends({"hello\r\n0\r", "\n", "\r\n"})) << "read in pieces";
}

TEST_F(LastBytes, EndNone) {
  EXPECT_FALSE(ends({"hello"}));
  EXPECT_FALSE(ends({"10\r\n\r\n"})) << "a chunk that begins with an empty line";
  EXPECT_FALSE(ends({"1", "0\r\n\r\n"}));
  EXPECT_FALSE(ends({"\r\n0\r\n\r\n", "more"}));
  EXPECT_TRUE(exa_ends_open(last_));
}

TEST_F(LastBytes, OfTrailersTellNothing) {
  EXPECT_FALSE(ends({"\r\n0\r\nx: y\r\n\r\n"}));
  EXPECT_FALSE(exa_ends_open(last_));
  EXPECT_FALSE(exa_ends_open(0)) << "nor do those that nobody saw";
}

class HeadEnd : public testing::Test {
 protected:
  exa_head_scan scan(std::string_view text, char fill = 'x') {
    std::array<__u64, EXA_FIRST_CAPTURE_WORDS> words;
    std::string bytes(EXA_FIRST_CAPTURE_BYTES, fill);
    bytes.replace(0, std::min(text.size(), bytes.size()), text.substr(0, bytes.size()));
    std::memcpy(words.data(), bytes.data(), bytes.size());
    for (std::uint32_t step = 0; step < EXA_FIRST_CAPTURE_WORDS; ++step)
      if (const auto found = exa_head_step(words.data(), step); found != EXA_HEAD_OPEN)
        return found;
    return EXA_HEAD_OPEN;
  }
};

TEST_F(HeadEnd, IsNotBeforeTheHead) {
  EXPECT_EQ(scan("\r\n\r\nGET / HTTP/1.1\r\n\r\n"), EXA_HEAD_ENDS) << "the second empty line";
  EXPECT_EQ(scan("\r\n\r\n"), EXA_HEAD_OPEN);
}

TEST_F(HeadEnd, IsFoundAtEveryOffset) {
  for (std::size_t at = 1; at + 4 < EXA_FIRST_CAPTURE_BYTES; ++at) {
    const std::string head = std::string(at, 'h') + "\r\n\r\n";
    EXPECT_EQ(scan(head), EXA_HEAD_ENDS) << at;
    EXPECT_EQ(scan(head + "GET / HTTP/1.1"),
              at + 8 <= EXA_FIRST_CAPTURE_BYTES ? EXA_HEAD_AGAIN : EXA_HEAD_UNSURE)
        << at;
    EXPECT_EQ(scan(head + "Gold"), EXA_HEAD_UNSURE) << at;
  }
}

TEST_F(HeadEnd, KnowsAnotherHeadByEveryMethodOfTheParser) {
  for (const auto& method : methods_of_the_parser())
    EXPECT_EQ(scan("GET / HTTP/1.1\r\n\r\n" + method + " / HTTP/1.1\r\n"), EXA_HEAD_AGAIN)
        << method;
}

TEST_F(HeadEnd, IsUnsureWhereTheNextByteIsOutOfSight) {
  const std::string head = std::string(EXA_FIRST_CAPTURE_BYTES - 4, 'h') + "\r\n\r\n";
  EXPECT_EQ(scan(head), EXA_HEAD_UNSURE);
}

TEST_F(HeadEnd, IsNotFoundInHeadersThatGoOn) {
  std::string head;
  while (head.size() < EXA_FIRST_CAPTURE_BYTES)
    head += "X-Header: a value\r\n";
  EXPECT_EQ(scan(head), EXA_HEAD_OPEN);
  EXPECT_EQ(scan("a\n\nb\r\r\nc\n\r\n"), EXA_HEAD_OPEN);
}

class Run : public testing::Test {
 protected:
  exa_sight look(std::string_view first_bytes, int direction, std::uint64_t position = 100) {
    const int turned = exa_run_turns(&run_, direction);
    auto word = word_of(first_bytes);
    if (!(flags_ & EXA_SOCKET_RECOGNISED)) {
      exa_run_word(&run_, word, static_cast<__u32>(first_bytes.size()), turned);
      word = run_.word;
    }
    return exa_run_look(&run_, &config_, word, turned, position, flags_);
  }
  exa_capture_config config_{.capture_budget_bytes = 4096,
                             .ignore_after_runs = 3,
                             .retry_after_runs = 4,
                             .wakeup_fill_bytes = 0,
                             .event_ring_mask = 0,
                             .event_ring_bytes = 0,
                             .pid_namespace_inode = 0,
                             .tick_ns = 0,
                             .included_port_count = 0,
                             .excluded_port_count = 0,
                             .included_ports = {},
                             .excluded_ports = {}};
  exa_run run_{};
  std::uint32_t flags_ = 0;
};

TEST_F(Run, GrantsTheBudgetToAStartLineAnywhere) {
  EXPECT_EQ(look("{\"json\"", EXA_INGRESS), EXA_SIGHT_BODY);
  EXPECT_EQ(look("GET / HT", EXA_INGRESS), EXA_SIGHT_HEAD);
  EXPECT_EQ(run_.budget_bytes, 4096u);
}

TEST_F(Run, IsLenientOnlyAtAChangeOfDirection) {
  EXPECT_EQ(look("G", EXA_INGRESS), EXA_SIGHT_HEAD);
  run_.budget_bytes = 0;
  EXPECT_EQ(look("Another ", EXA_INGRESS), EXA_SIGHT_BODY);
  EXPECT_EQ(look("HTTP/1.1", EXA_EGRESS), EXA_SIGHT_HEAD);
}

TEST_F(Run, GoesOnWhileThereIsBudget) {
  EXPECT_EQ(look("POST / H", EXA_INGRESS), EXA_SIGHT_HEAD);
  EXPECT_EQ(look("x: y\r\n\r\n", EXA_INGRESS), EXA_SIGHT_HEAD);
  run_.budget_bytes = 0;
  EXPECT_EQ(look("x: y\r\n\r\n", EXA_INGRESS), EXA_SIGHT_BODY);
}

TEST_F(Run, ARequestBehindARequestMarksPipelining) {
  EXPECT_EQ(look("GET / HT", EXA_EGRESS), EXA_SIGHT_HEAD);
  flags_ = EXA_SOCKET_RECOGNISED;
  EXPECT_FALSE(run_.pipelined);
  EXPECT_EQ(look("GET /b H", EXA_EGRESS), EXA_SIGHT_HEAD);
  EXPECT_TRUE(run_.pipelined);

  // A head can now begin anywhere in a chunk.
  EXPECT_EQ(look("ok\nHTTP/", EXA_INGRESS), EXA_SIGHT_HEAD);
  EXPECT_EQ(run_.budget_bytes, 4096u);
}

TEST_F(Run, AnAnswerBetweenRequestsIsNoPipelining) {
  flags_ = EXA_SOCKET_RECOGNISED;
  look("GET / HT", EXA_EGRESS);
  look("HTTP/1.1", EXA_INGRESS);
  look("HTTP/1.1", EXA_INGRESS);  // a 103 before it
  look("GET / HT", EXA_EGRESS);
  EXPECT_FALSE(run_.pipelined);
}

TEST_F(Run, SearchesAChunkForASecondRequestOnlyWhereItIsLongerThanAllBefore) {
  look("GET / HT", EXA_INGRESS);
  EXPECT_TRUE(exa_run_may_pipeline(&run_, 80));
  exa_run_learn(&run_, false, 80);
  EXPECT_FALSE(exa_run_may_pipeline(&run_, 80));
  EXPECT_TRUE(exa_run_may_pipeline(&run_, 160));
  look("HTTP/1.1", EXA_EGRESS);
  EXPECT_FALSE(exa_run_may_pipeline(&run_, 160));
  look("GET / HT", EXA_INGRESS);
  exa_run_learn(&run_, true, 160);
  EXPECT_TRUE(run_.pipelined);
  EXPECT_FALSE(exa_run_may_pipeline(&run_, 4000));
}

TEST_F(Run, MarksTlsByTheFirstBytesOnly) {
  const std::string_view record("\x16\x03\x01", 3);
  EXPECT_EQ(look(record, EXA_INGRESS, 0), EXA_SIGHT_TLS);
  EXPECT_EQ(look(record, EXA_EGRESS, 1), EXA_SIGHT_BODY);
}

TEST_F(Run, GivesUpAfterRunsWithoutAProtocolAndLooksAgainLater) {
  EXPECT_EQ(look("*1\r\n", EXA_INGRESS), EXA_SIGHT_BODY);
  EXPECT_EQ(look("+OK\r\n", EXA_EGRESS), EXA_SIGHT_BODY);
  EXPECT_EQ(look("*1\r\n", EXA_INGRESS), EXA_SIGHT_NOTHING);
  EXPECT_FALSE(exa_run_retries(&run_, &config_));
  EXPECT_FALSE(exa_run_retries(&run_, &config_));
  EXPECT_FALSE(exa_run_retries(&run_, &config_));
  EXPECT_TRUE(exa_run_retries(&run_, &config_));
  EXPECT_EQ(run_.unrecognised, 0u);
}

TEST_F(Run, GivesUpAlsoWhereNothingCanBeRead) {
  const auto unread = [&](int direction) {
    const int turned = exa_run_turns(&run_, direction);
    return exa_run_out_of_reach(&run_, &config_, turned, flags_);
  };
  EXPECT_EQ(unread(EXA_INGRESS), EXA_SIGHT_HEAD) << "a head could have been there";
  EXPECT_EQ(unread(EXA_INGRESS), EXA_SIGHT_BODY);
  EXPECT_EQ(unread(EXA_EGRESS), EXA_SIGHT_HEAD);
  EXPECT_EQ(unread(EXA_INGRESS), EXA_SIGHT_NOTHING);
  flags_ = EXA_SOCKET_RECOGNISED;
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(unread(i % 2), EXA_SIGHT_HEAD);
}

TEST_F(Run, IgnoresHttp2UnlessItFollowsHttp1) {
  const std::string_view preface = "PRI * HT";
  EXPECT_EQ(look(preface, EXA_INGRESS, 0), EXA_SIGHT_HTTP2);
  run_ = {};
  EXPECT_EQ(look("PROXY TCP4 ", EXA_INGRESS, 0), EXA_SIGHT_HEAD);
  EXPECT_EQ(look(preface, EXA_INGRESS, 40), EXA_SIGHT_HTTP2);
  run_ = {};
  EXPECT_EQ(look("PRI * H", EXA_INGRESS, 0), EXA_SIGHT_HEAD) << "may become anything";
  EXPECT_EQ(look("TTP/2.0\r\n", EXA_INGRESS, 7), EXA_SIGHT_HTTP2);
  flags_ = EXA_SOCKET_RECOGNISED;
  EXPECT_EQ(look(preface, EXA_INGRESS), EXA_SIGHT_HEAD);
}

TEST_F(Run, CopiesAtOnceWhatIsLikelyToBeCaptured) {
  const auto at_once = [&](int turned, __u32 length) {
    return exa_run_at_once(&run_, &config_, turned, length, flags_);
  };
  EXPECT_EQ(at_once(1, 9000), 8u);
  EXPECT_EQ(at_once(1, 5), 5u);
  flags_ = EXA_SOCKET_RECOGNISED;
  EXPECT_EQ(at_once(1, 9000), EXA_FIRST_CAPTURE_BYTES);
  EXPECT_EQ(at_once(0, 9000), 8u) << "of a body";
  run_.budget_bytes = 300;
  EXPECT_EQ(at_once(0, 9000), 300u) << "of a head that goes on";
  run_.pipelined = 1;
  EXPECT_EQ(at_once(0, 9000), 4096u);
}

TEST_F(Run, TellsTheClientByItsRequest) {
  look("GET / HT", EXA_EGRESS);
  EXPECT_EQ(exa_run_recognises(&run_, 1, flags_), EXA_SOCKET_RECOGNISED | EXA_SOCKET_CLIENT);
  look("GET / HT", EXA_INGRESS);
  EXPECT_EQ(exa_run_recognises(&run_, 0, flags_), __u32{EXA_SOCKET_RECOGNISED});
  EXPECT_EQ(exa_run_recognises(&run_, 0, EXA_SOCKET_RECOGNISED), 0u);
  look("text", EXA_EGRESS);
  EXPECT_EQ(exa_run_recognises(&run_, 1, flags_), 0u) << "it may be a start line, or not";
}

TEST_F(Run, SpendsItsBudgetOnWhatIsCapturedWhole) {
  look("GET / HT", EXA_INGRESS);
  EXPECT_TRUE(exa_run_captured(&run_, 100, 100));
  EXPECT_EQ(run_.budget_bytes, 3996u);
  EXPECT_FALSE(exa_run_captured(&run_, 100, 101));
  EXPECT_EQ(run_.budget_bytes, 0u) << "what follows a gap is no head";
}

TEST_F(Run, RecognisesAStartLineThatComesInPieces) {
  const std::vector<std::vector<std::string_view>> starts = {
      {"G", "E", "T", " ", "/"},
      {"H", "T", "T", "P", "/", "1", ".", "1"},
      {"OPT", "IONS", " * HTTP/1.1"},
      {"GE", "T /path HTTP/1.1\r\n"},
      {"hello\n", "GET / HTTP/1.1\r\n"},  // behind something short
      {"hi\n", "GET ", "/ HTTP/1.1\r\n"}};
  for (const auto& pieces : starts) {
    run_ = {};
    run_.unrecognised = 1;
    for (const auto piece : pieces)
      EXPECT_NE(look(piece, EXA_EGRESS), EXA_SIGHT_NOTHING) << piece;
    EXPECT_EQ(run_.unrecognised, 0u) << pieces.front();
    EXPECT_GT(run_.budget_bytes, 4096u - 8) << pieces.front();
  }
}

TEST_F(Run, KnowsATlsHandshakeThatComesInPieces) {
  const std::string_view hello("\x16\x03\x01\x02\x00\x01\0\1", 8);
  for (std::size_t at = 0; at < 5; ++at)
    EXPECT_EQ(look(hello.substr(at, 1), EXA_INGRESS, at), EXA_SIGHT_BODY);
  EXPECT_EQ(look(hello.substr(5, 1), EXA_INGRESS, 5), EXA_SIGHT_TLS);
}

TEST_F(Run, PiecesOfTwoTurnsAreNoStartLine) {
  look("G", EXA_INGRESS);
  look("o", EXA_EGRESS);
  EXPECT_EQ(look("ET /", EXA_INGRESS), EXA_SIGHT_NOTHING);
  run_ = {};
  for (const auto piece : {"no start", "GE", "T / HTTP"})
    look(piece, EXA_INGRESS);
  EXPECT_EQ(run_.unrecognised, 1u) << "only at the beginning of a run";
}

TEST_F(Run, NeverGivesUpOnARecognisedSocket) {
  flags_ = EXA_SOCKET_RECOGNISED;
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(look("{}", i % 2), EXA_SIGHT_BODY);
}

TEST(Position, FollowsSequenceNumbers) {
  exa_flow flow{};
  EXPECT_EQ(exa_chunk_position(&flow, 777), 0u) << "the first byte seen is position 0";
  flow.started = 1;
  flow.position = 5000;
  flow.next_sequence = 0xfffffff0u;
  EXPECT_EQ(exa_chunk_position(&flow, 0xfffffff0u), 5000u);
  EXPECT_EQ(exa_chunk_position(&flow, 0x10u), 5032u) << "32 bytes went unseen, over the wrap";
  EXPECT_EQ(exa_chunk_position(&flow, 0xfffffff0u - 100), 4900u) << "a race of two threads";
  EXPECT_EQ(exa_chunk_position(&flow, 0xfffffff0u + 3000000000u), 3000005000u)
      << "3 GB were spliced";
}

}  // namespace
