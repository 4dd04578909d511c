// How connections end.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <chrono>
#include <thread>

#include "tests/bpf/capture_fixture.h"

namespace exa::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class Ends : public Capture {
 protected:
  std::vector<exa_end_event> ends(std::uint64_t cookie) {
    return records<exa_end_event>(EXA_EVENT_END, cookie);
  }
  bool has_end(std::uint64_t cookie, std::uint32_t flags, std::uint32_t socket_error) {
    return eventually([&] {
      for (const auto& end : ends(cookie))
        if (end.flags == flags && end.socket_error == socket_error) return true;
      return false;
    });
  }
  static constexpr std::uint32_t kOursOnly = EXA_END_EGRESS | EXA_END_FINAL;
  static constexpr std::uint32_t kFinal = EXA_END_INGRESS | EXA_END_EGRESS | EXA_END_FINAL;
  static void reset(UniqueFd& fd) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ASSERT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    fd.reset();
  }
  static void exchange(const Connection& connection) {
    send_all(connection.client.get(), kRequest);
    receive(connection.server.get(), kRequest.size());
    send_all(connection.server.get(), kResponse);
    receive(connection.client.get(), kResponse.size());
  }
};

TEST_F(Ends, ShutdownEndsOneDirectionAtEachEnd) {
  Connection connection;
  exchange(connection);
  ASSERT_EQ(::shutdown(connection.client.get(), SHUT_WR), 0);
  EXPECT_TRUE(has_end(connection.client_cookie, EXA_END_EGRESS, 0));
  EXPECT_THAT(ends(connection.server_cookie), IsEmpty()) << "the process has not read it yet";
  char byte;
  ASSERT_EQ(::read(connection.server.get(), &byte, 1), 0);
  ASSERT_EQ(::read(connection.server.get(), &byte, 1), 0);

  const auto seen = ends(connection.server_cookie);
  ASSERT_THAT(seen, SizeIs(1)) << "told once";
  EXPECT_EQ(seen[0].flags, EXA_END_INGRESS);
  EXPECT_EQ(seen[0].direction[EXA_INGRESS].position, kRequest.size());
  EXPECT_EQ(seen[0].direction[EXA_EGRESS].position, kResponse.size());
}

// A filter on its socket that takes nothing: packets come and are as good as lost.
void lose_what_comes(int socket) {
  sock_filter nothing{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0};
  const sock_fprog filter{.len = 1, .filter = &nothing};
  ASSERT_EQ(::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)), 0);
}

void lose_nothing(int socket) {
  const int unused = 0;
  ASSERT_EQ(::setsockopt(socket, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)), 0);
}

tcp_info told_of(int socket) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  EXPECT_EQ(::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
  return info;
}

TEST_F(Ends, AnAnswerThatIsLostIsSentAgain) {
  Connection connection;
  exchange(connection);
  EXPECT_THAT(records<exa_answer_event>(EXA_EVENT_RESEND, connection.server_cookie), IsEmpty());
  lose_what_comes(connection.client.get());
  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());
  send_all(connection.server.get(), kResponse);
  std::vector<exa_answer_event> resends;
  EXPECT_TRUE(eventually([&] {
    resends = records<exa_answer_event>(EXA_EVENT_RESEND, connection.server_cookie);
    return !resends.empty();
  }));
  const auto answer = chunks(connection.server_cookie).back().event;
  ASSERT_EQ(answer.direction, EXA_EGRESS);
  for (const auto& resend : resends) {
    EXPECT_EQ(resend.last_byte_ns, answer.header.ktime_ns);
    EXPECT_GT(resend.header.ktime_ns, answer.header.ktime_ns);
  }
  EXPECT_EQ(count(EXA_COUNTER_EMITTED_RESEND), resends.size());
}

class LateDeliveries : public Ends {
 protected:
  void SetUp() override {
    Ends::SetUp();
    if (!IsSkipped()) start({.late_deliveries = true});
  }
  // It is sent again before it arrives.
  static void send_late(int from, int to, std::string_view bytes) {
    const auto before = told_of(from).tcpi_total_retrans;
    lose_what_comes(to);
    send_all(from, bytes);
    EXPECT_TRUE(eventually([&] { return told_of(from).tcpi_total_retrans > before; }));
    lose_nothing(to);
    receive(to, bytes.size());
    EXPECT_TRUE(eventually([&] { return told_of(from).tcpi_unacked == 0; }));
  }
  static void delay_acknowledgement(int socket) {
    const int off = 0;
    ASSERT_EQ(::setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off)), 0);
  }
  std::vector<exa_answer_event> deliveries(std::uint64_t cookie) {
    return records<exa_answer_event>(EXA_EVENT_DELIVERED, cookie);
  }
};

TEST_F(LateDeliveries, AnAnswerThatArrivesLateIsToldOnce) {
  Connection connection;
  exchange(connection);
  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());
  send_late(connection.server.get(), connection.client.get(), kResponse);
  EXPECT_TRUE(eventually([&] { return !deliveries(connection.server_cookie).empty(); }));
  const auto answer = chunks(connection.server_cookie).back().event;
  const auto told = deliveries(connection.server_cookie);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].last_byte_ns, answer.header.ktime_ns);
  EXPECT_GT(told[0].header.ktime_ns, answer.header.ktime_ns + 50'000'000);
  EXPECT_EQ(count(EXA_COUNTER_EMITTED_DELIVERED), 1u);
}

TEST_F(LateDeliveries, OfOthersNothingIsTold) {
  Connection connection;
  for (int i = 0; i < 10; ++i)
    exchange(connection);
  EXPECT_THAT(deliveries(connection.server_cookie), IsEmpty());
  send_late(connection.client.get(), connection.server.get(), kRequest);
  EXPECT_THAT(deliveries(connection.client_cookie), IsEmpty()) << "a request is no answer";
}

TEST_F(LateDeliveries, OfEncryptedAnswersNothingIsTold) {
  const std::string hello("\x16\x03\x01\0\x2c\x01\0\0\x28\x03\x03", 11);
  Connection connection;
  send_all(connection.client.get(), hello + std::string(38, 'r'));
  receive(connection.server.get(), hello.size() + 38);
  send_late(connection.server.get(), connection.client.get(), hello);
  EXPECT_THAT(deliveries(connection.server_cookie), IsEmpty());
  EXPECT_THAT(records<exa_answer_event>(EXA_EVENT_RESEND, connection.server_cookie), IsEmpty());
}

// One peer delays each acknowledgement by 40 ms, which its way there and back seems to take then.
TEST_F(LateDeliveries, WhatTheWayThereAndBackTakesIsNotLate) {
  Connection near, far;
  exchange(near);
  exchange(far);
  EXPECT_TRUE(eventually([&] {
    delay_acknowledgement(far.client.get());
    send_all(far.server.get(), "x");
    receive(far.client.get(), 1);
    EXPECT_TRUE(eventually([&] { return told_of(far.server.get()).tcpi_unacked == 0; }));
    return told_of(far.server.get()).tcpi_rtt > 35'000;
  }));
  for (const auto* connection : {&near, &far}) {
    delay_acknowledgement(connection->client.get());
    lose_what_comes(connection->server.get());
    send_all(connection->server.get(), "x");
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    lose_nothing(connection->server.get());
    send_all(connection->client.get(), kRequest);  // which acknowledges it as well
    receive(connection->server.get(), kRequest.size());
  }
  EXPECT_THAT(deliveries(near.server_cookie), SizeIs(1));
  EXPECT_THAT(deliveries(far.server_cookie), IsEmpty());
}

// The request was lost, not the answer.
TEST_F(Ends, WhatAClientSendsAgainIsInItsAccount) {
  Connection connection;
  exchange(connection);
  lose_what_comes(connection.server.get());
  send_all(connection.client.get(), kRequest);
  EXPECT_TRUE(eventually([&] { return told_of(connection.client.get()).tcpi_total_retrans > 0; }));
  EXPECT_THAT(records<exa_answer_event>(EXA_EVENT_RESEND, connection.client_cookie), IsEmpty());
}

TEST_F(Ends, ACloseIsFinalAtOnceWhateverThePeerDoes) {
  Connection connection;
  exchange(connection);
  connection.client.reset();
  EXPECT_TRUE(has_end(connection.client_cookie, kOursOnly, 0));
  connection.server.reset();
  EXPECT_TRUE(has_end(connection.server_cookie, kFinal, 0)) << "the peer had closed before";
  stop();
  EXPECT_THAT(ends(connection.client_cookie), SizeIs(1)) << "told once";
}

// A FIN has a sequence number, and the read that takes up the last bytes takes it up with them.
TEST_F(Ends, AFinWithTheLastBytesMovesNothing) {
  Connection connection;
  exchange(connection);
  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());
  send_all(connection.server.get(), kResponse);
  connection.server.reset();
  char bytes[256];
  ASSERT_EQ(::read(connection.client.get(), bytes, sizeof(bytes)),
            static_cast<ssize_t>(kResponse.size()));
  connection.client.reset();

  EXPECT_TRUE(has_end(connection.client_cookie, kFinal, 0));
  const auto read = chunks(connection.client_cookie, EXA_INGRESS);
  ASSERT_THAT(read, SizeIs(2));
  EXPECT_EQ(read[1].event.position, kResponse.size());
  EXPECT_EQ(read[1].event.tcp_sequence, read[0].event.tcp_sequence + kResponse.size());
  EXPECT_EQ(ends(connection.client_cookie)[0].direction[EXA_INGRESS].position,
            2 * kResponse.size());
}

TEST_F(Ends, AnEndTellsOfBytesThatWereSpliced) {
  Connection connection;
  exchange(connection);
  send_all(connection.server.get(), std::string(5000, 'b'));
  int pipe_ends[2];
  ASSERT_EQ(::pipe2(pipe_ends, O_CLOEXEC), 0);
  const UniqueFd from(pipe_ends[0]), to(pipe_ends[1]);
  ASSERT_EQ(::splice(connection.client.get(), nullptr, to.get(), nullptr, 5000, 0), 5000);
  connection.client.reset();
  connection.server.reset();
  ASSERT_TRUE(eventually([&] {
    const auto seen = ends(connection.client_cookie);
    return !seen.empty() && seen.back().flags & EXA_END_FINAL;
  }));
  EXPECT_EQ(ends(connection.client_cookie).back().direction[EXA_INGRESS].position,
            kResponse.size() + 5000);
}

TEST_F(Ends, TheLastBytesOfAChunkedBodyAreTold) {
  Connection connection;
  exchange(connection);
  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string chunk = "1388\r\n" + std::string(5000, 'x') + "\r\n";
  for (const auto& part : {head, chunk, chunk, std::string("0\r\n\r\n")})
    send_all(connection.server.get(), part);
  receive(connection.client.get(), head.size() + 2 * chunk.size() + 5);

  const auto written = chunks(connection.server_cookie, EXA_EGRESS);
  ASSERT_THAT(written, SizeIs(4)) << "the second chunk is body";
  EXPECT_EQ(written.back().event.flags, EXA_CHUNK_ENDS);
  EXPECT_EQ(written.back().event.captured_bytes, 0u);
  EXPECT_EQ(written.back().event.length_bytes, 5u);
  EXPECT_EQ(chunks(connection.client_cookie, EXA_INGRESS).back().event.flags, EXA_CHUNK_ENDS);
}

// node and nginx: size, content and the end of the body each in a segment of its own.
TEST_F(Ends, TheLastBytesAreThoseOfTheSegmentsUsed) {
  Connection connection;
  exchange(connection);
  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());
  std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n";
  std::string content(5000, 'x');
  std::string size_end = "\r\n0\r";
  std::string end = "\n\r\n";
  iovec segments[] = {{head.data(), head.size()},
                      {content.data(), content.size()},
                      {size_end.data(), size_end.size()},
                      {end.data(), end.size()}};
  const auto whole = head.size() + content.size() + size_end.size() + end.size();
  ASSERT_EQ(::writev(connection.server.get(), segments, 4), static_cast<ssize_t>(whole));
  const auto written = chunks(connection.server_cookie, EXA_EGRESS);
  ASSERT_THAT(written, SizeIs(2));
  EXPECT_LT(written[1].event.captured_bytes, whole);
  EXPECT_EQ(written[1].event.flags, EXA_CHUNK_ENDS);
}

TEST_F(Ends, AnAnswerCutInTheMiddleIsOpen) {
  Connection connection;
  exchange(connection);
  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());
  const std::string cut =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n" + std::string(4000, 'x');
  send_all(connection.server.get(), cut);
  connection.server.reset();
  receive(connection.client.get(), cut.size());
  connection.client.reset();
  EXPECT_TRUE(has_end(connection.server_cookie, kOursOnly | EXA_END_OPEN_EGRESS, 0));
  EXPECT_TRUE(has_end(connection.client_cookie, kFinal | EXA_END_OPEN_INGRESS, 0));
}

TEST_F(Ends, AResetIsFinalWithItsError) {
  Connection connection;
  exchange(connection);
  reset(connection.client);
  EXPECT_TRUE(has_end(connection.client_cookie, kOursOnly, 0));
  EXPECT_TRUE(has_end(connection.server_cookie, kOursOnly, ECONNRESET));
}

TEST_F(Ends, AResetWaitsForWhatIsStillRead) {
  Connection connection;
  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());
  send_all(connection.client.get(), "x");  // never read: the close becomes a reset
  send_all(connection.server.get(), kResponse);
  connection.server.reset();
  EXPECT_THAT(ends(connection.client_cookie), IsEmpty()) << "the response is still in the queue";
  EXPECT_EQ(receive(connection.client.get(), kResponse.size()), kResponse);
  char byte;
  ASSERT_EQ(::read(connection.client.get(), &byte, 1), -1);
  ASSERT_EQ(errno, ECONNRESET);

  const auto seen = ends(connection.client_cookie);
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].flags, kOursOnly);
  EXPECT_EQ(seen[0].socket_error, static_cast<std::uint32_t>(ECONNRESET));
  EXPECT_EQ(seen[0].direction[EXA_INGRESS].position, kResponse.size());
}

// On loopback the reset that a send provokes is taken up before the send returns.
TEST_F(Ends, AResetInsideASendComesBehindItsChunk) {
  for (int round = 0; round < 50; ++round) {
    Connection connection;
    send_all(connection.client.get(), kRequest);
    receive(connection.server.get(), kRequest.size());
    connection.client.reset();
    send_all(connection.server.get(), kResponse);
    connection.server.reset();
    ASSERT_TRUE(eventually([&] { return !ends(connection.server_cookie).empty(); }));

    std::vector<int> order;
    for (const std::string& record : records_)
      if (load<exa_event_header>(record).socket_id == connection.server_cookie)
        order.push_back(load<exa_event_header>(record).type);
    ASSERT_THAT(order, testing::ElementsAre(EXA_EVENT_SOCKET, EXA_EVENT_CHUNK, EXA_EVENT_CHUNK,
                                            EXA_EVENT_END));
    const auto seen = ends(connection.server_cookie);
    EXPECT_EQ(seen[0].flags, kFinal);
    EXPECT_EQ(seen[0].direction[EXA_EGRESS].position, kResponse.size());
  }
}

TEST_F(Ends, AResetWithBytesThatNobodyReadsIsFinalAtTheClose) {
  Connection connection;
  exchange(connection);
  send_all(connection.server.get(), kResponse);
  reset(connection.server);
  connection.client.reset();
  EXPECT_TRUE(has_end(connection.client_cookie, kOursOnly, ECONNRESET));
}

TEST_F(Ends, ASocketThatWasNeverAnnouncedEndsInSilence) {
  Connection connection;
  send_all(connection.client.get(), "*1\r\n");
  connection.client.reset();
  connection.server.reset();
  stop();
  EXPECT_THAT(ends(connection.client_cookie), IsEmpty());
}

}  // namespace
}  // namespace exa::test
