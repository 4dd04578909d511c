// The pure pieces of the BPF programs, compiled for the host.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "agent/protocol/http_words.h"
#include "agent/semantics/http.h"
#include "bpf/lib/head_end.h"
#include "bpf/lib/last_bytes.h"
#include "bpf/lib/ring_share.h"
#include "bpf/lib/sleep_calls.h"
#include "bpf/lib/sniff/http1.h"
#include "bpf/lib/sniff/http2.h"
#include "bpf/lib/sniff/tls.h"
#include "tests/bpf/word_of.h"

namespace {

// By the numbers that the C library has.
TEST(SleepCalls, AreWhatTheyWaitFor) {
  for (const long call : {SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_sendfile, SYS_splice})
    EXPECT_EQ(exa_doing_in_call(call), EXA_DOING_BY_FILE) << call;
  EXPECT_EQ(exa_doing_in_call(SYS_pselect6), EXA_DOING_BY_FIRST);
  EXPECT_EQ(exa_doing_in_call(SYS_ppoll), EXA_DOING_BY_SECOND);
  for (const long call :
       {SYS_futex, SYS_futex_waitv, SYS_flock, SYS_fcntl, SYS_semop, SYS_semtimedop})
    EXPECT_EQ(exa_doing_in_call(call), EXA_DOING_LOCK) << call;
  for (const long call :
       {SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2, SYS_pwritev2, SYS_msync,
        SYS_fsync, SYS_fdatasync, SYS_sync, SYS_syncfs, SYS_sync_file_range})
    EXPECT_EQ(exa_doing_in_call(call), EXA_DOING_DISK) << call;
  for (const long call : {SYS_nanosleep, SYS_clock_nanosleep})
    EXPECT_EQ(exa_doing_in_call(call), EXA_DOING_TIMER) << call;
  for (const long call : {SYS_connect, SYS_accept, SYS_accept4, SYS_sendto, SYS_recvfrom,
                          SYS_sendmsg, SYS_recvmsg, SYS_sendmmsg, SYS_recvmmsg})
    EXPECT_EQ(exa_doing_in_call(call), EXA_DOING_NETWORK) << call;
  EXPECT_EQ(exa_doing_in_call(SYS_epoll_pwait), EXA_DOING_EPOLL);
  for (const long call : {SYS_wait4, SYS_waitid, SYS_clone, SYS_clone3})
    EXPECT_EQ(exa_doing_in_call(call), EXA_DOING_CHILD) << call;
#if defined(__x86_64__)
  EXPECT_EQ(exa_doing_in_call(SYS_epoll_wait), EXA_DOING_EPOLL);
  EXPECT_EQ(exa_doing_in_call(SYS_select), EXA_DOING_BY_FIRST);
  EXPECT_EQ(exa_doing_in_call(SYS_poll), EXA_DOING_BY_SECOND);
  EXPECT_EQ(exa_doing_in_call(SYS_vfork), EXA_DOING_CHILD);
#endif
  // Of a FIFO it waits for the other end, of a lease for its holder.
  for (const long call : {long{SYS_openat}, long{SYS_io_uring_enter}, long{SYS_sched_yield}, -1L})
    EXPECT_EQ(exa_doing_in_call(call), EXA_DOING_OTHER) << call;
}

TEST(SleepCalls, OnAFileDependOnIt) {
  EXPECT_EQ(exa_doing_on_file(S_IFIFO | 0600), EXA_DOING_PIPE);
  EXPECT_EQ(exa_doing_on_file(S_IFSOCK | 0777), EXA_DOING_NETWORK);
  EXPECT_EQ(exa_doing_on_file(S_IFREG | 0644), EXA_DOING_DISK);
  EXPECT_EQ(exa_doing_on_file(S_IFBLK), EXA_DOING_DISK);
  EXPECT_EQ(exa_doing_on_file(S_IFCHR | 0666), EXA_DOING_OTHER) << "a terminal";
  EXPECT_EQ(exa_doing_on_file(0600), EXA_DOING_EVENTS) << "an eventfd";
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
  for (const std::string_view head : {"GET / HT", "PUT /a H", "POST / H", "HEAD / H", "DELETE /",
                                      "OPTIONS ", "PATCH / ", "CONNECT ", "TRACE / ", "QUERY / "})
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
    if (name != exa::method_text(exa::Method::kOther) && exa::http::parse_method(name) == method)
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

}  // namespace
