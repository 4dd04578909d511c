// sendmmsg and recvmmsg: one record a message, each with its own bytes.
#include <fcntl.h>
#include <sys/socket.h>

#include "tests/bpf/capture_fixture.h"

namespace exa::test {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class Batches : public Capture {
 protected:
  struct Batch {
    explicit Batch(std::vector<std::string> texts) : bytes(std::move(texts)) {
      for (std::string& text : bytes)
        segments.push_back({text.data(), text.size()});
      for (iovec& segment : segments) {
        mmsghdr message{};
        message.msg_hdr.msg_iov = &segment;
        message.msg_hdr.msg_iovlen = 1;
        messages.push_back(message);
      }
    }
    int send(int fd) { return ::sendmmsg(fd, messages.data(), size(), 0); }
    [[nodiscard]] unsigned size() const { return static_cast<unsigned>(messages.size()); }
    std::vector<std::string> bytes;
    std::vector<iovec> segments;
    std::vector<mmsghdr> messages;
  };
  std::vector<std::string> captured(std::uint64_t cookie) {
    std::vector<std::string> bytes;
    for (const Chunk& chunk : chunks(cookie))
      bytes.push_back(chunk.bytes);
    return bytes;
  }
};

TEST_F(Batches, EachMessageSentHasItsOwnBytes) {
  Connection connection;
  Batch batch({"GET /1 HTTP/1.1\r\n\r\n", "GET /22 HTTP/1.1\r\n\r\n", "GET /333 HTTP/1.1\r\n\r\n"});
  ASSERT_EQ(batch.send(connection.client.get()), 3);
  ASSERT_EQ(batch.send(connection.client.get()), 3) << "the same vector again";

  EXPECT_THAT(captured(connection.client_cookie),
              ElementsAre("GET /1 HTTP/1.1\r\n\r\n", "GET /22 HTTP/1.1\r\n\r\n",
                          "GET /333 HTTP/1.1\r\n\r\n", "GET /1 HTTP/1.1\r\n\r\n",
                          "GET /22 HTTP/1.1\r\n\r\n", "GET /333 HTTP/1.1\r\n\r\n"));
}

TEST_F(Batches, AnEmptyMessageIsCountedAsOne) {
  Connection connection;
  Batch batch({"", "GET /1 HTTP/1.1\r\n\r\n", "", "GET /3 HTTP/1.1\r\n\r\n"});
  ASSERT_EQ(batch.send(connection.client.get()), 4);
  ASSERT_EQ(batch.send(connection.client.get()), 4);

  EXPECT_THAT(captured(connection.client_cookie),
              ElementsAre("GET /1 HTTP/1.1\r\n\r\n", "GET /3 HTTP/1.1\r\n\r\n",
                          "GET /1 HTTP/1.1\r\n\r\n", "GET /3 HTTP/1.1\r\n\r\n"));
}

TEST_F(Batches, ACallThatStopsAtAFullQueueBeginsAnew) {
  Connection connection;
  ASSERT_EQ(::fcntl(connection.client.get(), F_SETFL, O_NONBLOCK), 0);
  Batch large({"GET /large HTTP/1.1\r\n\r\n" + std::string(1 << 20, 'x'),
               "GET /second HTTP/1.1\r\n\r\n" + std::string(1 << 20, 'x')});
  int sent;
  do
    sent = large.send(connection.client.get());
  while (sent > 0);
  ASSERT_EQ(errno, EAGAIN);
  ASSERT_EQ(::fcntl(connection.server.get(), F_SETFL, O_NONBLOCK), 0);
  std::string sink(1 << 16, '\0');
  while (::recv(connection.server.get(), sink.data(), sink.size(), 0) > 0) {
  }
  Batch small({"GET /1 HTTP/1.1\r\n\r\n", "GET /2 HTTP/1.1\r\n\r\n"});
  ASSERT_TRUE(eventually([&] { return small.send(connection.client.get()) == 2; }));

  const auto seen = captured(connection.client_cookie);
  ASSERT_GE(seen.size(), 3u);
  EXPECT_EQ(seen[0].substr(0, 10), "GET /large");
  EXPECT_EQ(seen[seen.size() - 2], "GET /1 HTTP/1.1\r\n\r\n");
  EXPECT_EQ(seen[seen.size() - 1], "GET /2 HTTP/1.1\r\n\r\n");
}

TEST_F(Batches, EachMessageReceivedHasItsOwnBytes) {
  Connection connection;
  send_all(connection.client.get(), "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
  Batch batch({std::string(19, '!'), std::string(19, '!'), std::string(19, '!')});
  ASSERT_EQ(::recvmmsg(connection.server.get(), batch.messages.data(), 3, MSG_DONTWAIT, nullptr),
            2);
  send_all(connection.client.get(), "GET /3 HTTP/1.1\r\n\r\n");
  ASSERT_EQ(::recvmmsg(connection.server.get(), batch.messages.data(), 3, MSG_DONTWAIT, nullptr),
            1);

  EXPECT_THAT(
      captured(connection.server_cookie),
      ElementsAre("GET /1 HTTP/1.1\r\n\r\n", "GET /2 HTTP/1.1\r\n\r\n", "GET /3 HTTP/1.1\r\n\r\n"));
}

TEST_F(Batches, AReceiveWithATimeoutIsAGapOfExactLength) {
  Connection connection;
  send_all(connection.client.get(), kRequest);
  Batch batch({std::string(512, '!'), std::string(512, '!')});
  timespec patience{.tv_sec = 5, .tv_nsec = 0};
  ASSERT_EQ(
      ::recvmmsg(connection.server.get(), batch.messages.data(), 2, MSG_WAITFORONE, &patience), 1);

  const auto seen = chunks(connection.server_cookie);
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].event.length_bytes, kRequest.size());
  EXPECT_EQ(seen[0].event.captured_bytes, 0u);
  EXPECT_EQ(seen[0].event.gap_reason, EXA_GAP_NO_BUFFER);
}

}  // namespace
}  // namespace exa::test
