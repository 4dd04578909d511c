// How connections end.
#include <fcntl.h>
#include <sys/socket.h>

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

TEST_F(Ends, AnOrderlyCloseIsFinalAtBothEnds) {
  Connection connection;
  exchange(connection);
  connection.client.reset();
  connection.server.reset();
  EXPECT_TRUE(has_end(connection.client_cookie, kFinal, 0));
  EXPECT_TRUE(has_end(connection.server_cookie, kFinal, 0));
}

TEST_F(Ends, AResetIsFinalWithItsError) {
  Connection connection;
  exchange(connection);
  reset(connection.client);
  EXPECT_TRUE(has_end(connection.client_cookie, kFinal, 0));
  EXPECT_TRUE(has_end(connection.server_cookie, kFinal, ECONNRESET));
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
  EXPECT_EQ(seen[0].flags, kFinal);
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
  EXPECT_TRUE(has_end(connection.client_cookie, kFinal, ECONNRESET));
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
