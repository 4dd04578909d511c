// The decision about a chunk, compiled for the host.
#include "bpf/lib/decision.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "tests/bpf/word_of.h"

namespace {

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

TEST_F(Run, MessagesMayBeginAtATurnAndWhereTheHeadMayGoOn) {
  EXPECT_TRUE(exa_run_may_begin(&run_, 1, 0));
  EXPECT_FALSE(exa_run_may_begin(&run_, 0, 0));
  EXPECT_TRUE(exa_run_may_begin(&run_, 0, EXA_SOCKET_FRAMES)) << "with any frame";
  look("GET / HT", EXA_INGRESS);
  EXPECT_TRUE(exa_run_may_begin(&run_, 0, 0));
  exa_run_captured(&run_, 4096, 5000);
  EXPECT_FALSE(exa_run_may_begin(&run_, 0, 0)) << "the rest is body";
  look("GET / HT", EXA_INGRESS);
  flags_ = EXA_SOCKET_RECOGNISED;
  look("GET / HT", EXA_INGRESS);
  exa_run_captured(&run_, 4096, 5000);
  EXPECT_TRUE(exa_run_may_begin(&run_, 0, flags_)) << "pipelined";
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
  for (int i = 1; i < 20; ++i)
    EXPECT_EQ(unread(i % 2), EXA_SIGHT_HEAD);
}

TEST_F(Run, FollowsHttp2UnlessItFollowsHttp1) {
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
      {"G", "E", "T", " ", "/"},         {"H", "T", "T", "P", "/", "1", ".", "1"},
      {"OPT", "IONS", " * HTTP/1.1"},    {"GE", "T /path HTTP/1.1\r\n"},
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
