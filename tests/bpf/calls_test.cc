// Each system call that moves bytes: one trigger, the expected record with its exact bytes.
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/bpf/capture_fixture.h"

namespace exa::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Call {
  const char* name;
  ssize_t (*move)(int fd, char* bytes, std::size_t size);
};
void PrintTo(const Call& call, std::ostream* out) {
  *out << call.name;
}

// Two segments, the first short, as HTTP servers write head and body.
std::array<iovec, 2> two_segments(char* bytes, std::size_t size) {
  return {iovec{bytes, 3}, iovec{bytes + 3, size - 3}};
}

ssize_t with_message(int fd, char* bytes, std::size_t size, ssize_t (*call)(int, msghdr*)) {
  auto segments = two_segments(bytes, size);
  msghdr message{};
  message.msg_iov = segments.data();
  message.msg_iovlen = segments.size();
  return call(fd, &message);
}

ssize_t with_batch(int fd, char* bytes, std::size_t size, int (*call)(int, mmsghdr*)) {
  auto segments = two_segments(bytes, size);
  mmsghdr batch{};
  batch.msg_hdr.msg_iov = segments.data();
  batch.msg_hdr.msg_iovlen = segments.size();
  return call(fd, &batch) == 1 ? static_cast<ssize_t>(batch.msg_len) : -1;
}

const Call kSends[] = {
    {"write", [](int fd, char* bytes, std::size_t size) { return ::write(fd, bytes, size); }},
    {"writev",
     [](int fd, char* bytes, std::size_t size) {
       const auto segments = two_segments(bytes, size);
       return ::writev(fd, segments.data(), 2);
     }},
    {"pwritev2",
     [](int fd, char* bytes, std::size_t size) {
       const auto segments = two_segments(bytes, size);
       return ::pwritev2(fd, segments.data(), 2, -1, 0);
     }},
    {"send", [](int fd, char* bytes, std::size_t size) { return ::send(fd, bytes, size, 0); }},
    {"sendmsg",
     [](int fd, char* bytes, std::size_t size) {
       return with_message(fd, bytes, size,
                           [](int to, msghdr* message) { return ::sendmsg(to, message, 0); });
     }},
    {"sendmmsg",
     [](int fd, char* bytes, std::size_t size) {
       return with_batch(fd, bytes, size,
                         [](int to, mmsghdr* batch) { return ::sendmmsg(to, batch, 1, 0); });
     }},
};

const Call kReceives[] = {
    {"read", [](int fd, char* bytes, std::size_t size) { return ::read(fd, bytes, size); }},
    {"readv",
     [](int fd, char* bytes, std::size_t size) {
       const auto segments = two_segments(bytes, size);
       return ::readv(fd, segments.data(), 2);
     }},
    {"preadv2",
     [](int fd, char* bytes, std::size_t size) {
       const auto segments = two_segments(bytes, size);
       return ::preadv2(fd, segments.data(), 2, -1, 0);
     }},
    {"recv", [](int fd, char* bytes, std::size_t size) { return ::recv(fd, bytes, size, 0); }},
    {"recvmsg",
     [](int fd, char* bytes, std::size_t size) {
       return with_message(fd, bytes, size,
                           [](int from, msghdr* message) { return ::recvmsg(from, message, 0); });
     }},
    {"recvmmsg",
     [](int fd, char* bytes, std::size_t size) {
       return with_batch(fd, bytes, size, [](int from, mmsghdr* batch) {
         return ::recvmmsg(from, batch, 1, 0, nullptr);
       });
     }},
};

class Send : public Capture, public testing::WithParamInterface<Call> {};
class Receive : public Capture, public testing::WithParamInterface<Call> {};
INSTANTIATE_TEST_SUITE_P(Calls, Send, testing::ValuesIn(kSends),
                         [](const auto& call) { return std::string(call.param.name); });
INSTANTIATE_TEST_SUITE_P(Calls, Receive, testing::ValuesIn(kReceives),
                         [](const auto& call) { return std::string(call.param.name); });

TEST_P(Send, IsCapturedWithItsBytesAndPositions) {
  Connection connection;
  std::string request(kRequest);
  const std::uint64_t before_ns = monotonic_ns();
  ASSERT_EQ(GetParam().move(connection.client.get(), request.data(), request.size()),
            static_cast<ssize_t>(request.size()));
  ASSERT_EQ(GetParam().move(connection.client.get(), request.data(), request.size()),
            static_cast<ssize_t>(request.size()));
  const std::uint64_t after_ns = monotonic_ns();

  const auto seen = chunks(connection.client_cookie);
  ASSERT_THAT(seen, SizeIs(2));
  for (const Chunk& chunk : seen) {
    EXPECT_EQ(chunk.bytes, kRequest);
    EXPECT_EQ(chunk.event.direction, EXA_EGRESS);
    EXPECT_EQ(chunk.event.length_bytes, kRequest.size());
    EXPECT_EQ(chunk.event.gap_reason, EXA_GAP_NONE);
    EXPECT_EQ(chunk.event.arrival_ns, 0u);
    EXPECT_GE(chunk.event.header.ktime_ns, before_ns);
    EXPECT_LE(chunk.event.header.ktime_ns, after_ns);
    EXPECT_EQ(chunk.event.other.position, 0u);
  }
  EXPECT_EQ(seen[0].event.position, 0u);
  EXPECT_EQ(seen[0].event.previous_last_byte_ns, 0u);
  EXPECT_EQ(seen[1].event.position, kRequest.size());
  EXPECT_EQ(seen[1].event.previous_last_byte_ns, seen[0].event.header.ktime_ns);
  EXPECT_EQ(seen[1].event.tcp_sequence - seen[0].event.tcp_sequence, kRequest.size());
}

TEST_P(Receive, IsCapturedWithItsBytesAndArrival) {
  Connection connection;
  const std::uint64_t before_ns = monotonic_ns();
  send_all(connection.client.get(), kRequest);
  const std::uint64_t sent_ns = monotonic_ns();
  std::string buffer(512, '!');
  ASSERT_EQ(GetParam().move(connection.server.get(), buffer.data(), buffer.size()),
            static_cast<ssize_t>(kRequest.size()));

  const auto seen = chunks(connection.server_cookie);
  ASSERT_THAT(seen, SizeIs(1));
  const exa_chunk_event& event = seen[0].event;
  EXPECT_EQ(seen[0].bytes, kRequest);
  EXPECT_EQ(event.direction, EXA_INGRESS);
  EXPECT_EQ(event.position, 0u);
  EXPECT_EQ(event.length_bytes, kRequest.size());
  EXPECT_EQ(event.gap_reason, EXA_GAP_NONE);
  EXPECT_GE(event.arrival_ns, before_ns);
  EXPECT_LE(event.arrival_ns, sent_ns);
  EXPECT_GE(event.header.ktime_ns, sent_ns);
  const auto written = chunks(connection.client_cookie);
  ASSERT_THAT(written, SizeIs(1));
  EXPECT_EQ(event.tcp_sequence, written[0].event.tcp_sequence) << "equal at both ends";
}

using Calls = Capture;

TEST_F(Calls, AnExchangeTellsEachDirectionTheOther) {
  Connection connection;
  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());
  send_all(connection.server.get(), kResponse);
  receive(connection.client.get(), kResponse.size());

  const auto server = chunks(connection.server_cookie);
  ASSERT_THAT(server, SizeIs(2));
  EXPECT_EQ(server[1].bytes, kResponse);
  EXPECT_EQ(server[1].event.other.position, kRequest.size());
  EXPECT_EQ(server[1].event.other.last_byte_ns, server[0].event.header.ktime_ns);
  const auto client = chunks(connection.client_cookie);
  ASSERT_THAT(client, SizeIs(2));
  EXPECT_EQ(client[1].bytes, kResponse);
  EXPECT_EQ(client[1].event.direction, EXA_INGRESS);
  EXPECT_EQ(client[1].event.tcp_sequence, server[1].event.tcp_sequence);
}

TEST_F(Calls, AddressesPrecedeTheFirstChunk) {
  for (const int family : {AF_INET, AF_INET6}) {
    Connection connection(family);
    send_all(connection.client.get(), kRequest);

    const auto sockets = records<exa_socket_event>(EXA_EVENT_SOCKET, connection.client_cookie);
    ASSERT_THAT(sockets, SizeIs(1));
    EXPECT_EQ(sockets[0].family, family);
    EXPECT_EQ(sockets[0].local_port, connection.client_port);
    EXPECT_EQ(sockets[0].remote_port, connection.server_port);
    EXPECT_EQ(sockets[0].header.tgid, static_cast<std::uint32_t>(::getpid()));
    std::array<std::uint8_t, 16> loopback{127, 0, 0, 1};
    if (family == AF_INET6) {
      loopback = {};
      loopback[15] = 1;
    }
    EXPECT_THAT(sockets[0].local_address, testing::ElementsAreArray(loopback));
    EXPECT_THAT(sockets[0].remote_address, testing::ElementsAreArray(loopback));
    std::vector<int> order;
    for (const std::string& record : records_)
      if (load<exa_event_header>(record).socket_id == connection.client_cookie)
        order.push_back(load<exa_event_header>(record).type);
    EXPECT_THAT(order, ElementsAre(EXA_EVENT_SOCKET, EXA_EVENT_CHUNK));
  }
}

TEST_F(Calls, ReadsOfOneByteAreEachCaptured) {
  Connection connection;
  send_all(connection.client.get(), kRequest);
  std::string bytes;
  for (std::size_t i = 0; i < kRequest.size(); ++i)
    bytes += receive(connection.server.get(), 1);

  std::string captured;
  for (const Chunk& chunk : chunks(connection.server_cookie)) {
    EXPECT_EQ(chunk.event.position, captured.size());
    EXPECT_EQ(chunk.event.length_bytes, 1u);
    captured += chunk.bytes;
  }
  EXPECT_EQ(captured, kRequest);
}

TEST_F(Calls, ArrivalIsUnknownWhereBytesWereLeftInTheQueue) {
  Connection connection;
  send_all(connection.client.get(), std::string(kRequest) + std::string(kRequest));
  receive(connection.server.get(), kRequest.size());
  receive(connection.server.get(), kRequest.size());
  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());

  const auto seen = chunks(connection.server_cookie);
  ASSERT_THAT(seen, SizeIs(3));
  EXPECT_NE(seen[0].event.arrival_ns, 0u);
  EXPECT_EQ(seen[1].event.arrival_ns, 0u);
  EXPECT_NE(seen[2].event.arrival_ns, 0u);
}

TEST_F(Calls, PeekedBytesAreNotCounted) {
  Connection connection;
  send_all(connection.client.get(), kRequest);
  char buffer[512];
  ASSERT_GT(::recv(connection.server.get(), buffer, sizeof(buffer), MSG_PEEK), 0);
  EXPECT_THAT(chunks(connection.server_cookie), IsEmpty());
  EXPECT_GE(count(EXA_COUNTER_FILTERED_PEEK), 1u);
  receive(connection.server.get(), kRequest.size());

  const auto seen = chunks(connection.server_cookie);
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].event.position, 0u);
}

TEST_F(Calls, SegmentsAreWalkedUpToSixteen) {
  Connection connection;
  std::string request(kRequest);
  std::vector<iovec> segments;
  segments.push_back({nullptr, 0});
  for (std::size_t i = 0; i < 14; ++i)
    segments.push_back({request.data() + i, 1});
  segments.push_back({request.data() + 14, request.size() - 14});
  ASSERT_EQ(::writev(connection.client.get(), segments.data(), 16),
            static_cast<ssize_t>(request.size()));
  segments.insert(segments.begin(), {nullptr, 0});
  ASSERT_EQ(::writev(connection.client.get(), segments.data(), 17),
            static_cast<ssize_t>(request.size()));

  const auto seen = chunks(connection.client_cookie);
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(seen[0].bytes, kRequest);
  EXPECT_EQ(seen[0].event.gap_reason, EXA_GAP_NONE);
  EXPECT_EQ(seen[1].bytes, kRequest.substr(0, 14));
  EXPECT_EQ(seen[1].event.length_bytes, kRequest.size());
  EXPECT_EQ(seen[1].event.gap_reason, EXA_GAP_SEGMENTS);
}

TEST_F(Calls, AConnectionOlderThanTheProgramsStartsAtTheFirstByteSeen) {
  stop();
  Connection connection;
  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());
  start({});
  send_all(connection.server.get(), kResponse);
  receive(connection.client.get(), kResponse.size());
  send_all(connection.client.get(), kRequest);

  const auto client = chunks(connection.client_cookie);
  ASSERT_THAT(client, SizeIs(2));
  EXPECT_EQ(client[0].bytes, kResponse);
  EXPECT_EQ(client[0].event.position, 0u);
  EXPECT_EQ(client[1].bytes, kRequest);
  EXPECT_EQ(client[1].event.position, 0u);
  EXPECT_THAT(records<exa_socket_event>(EXA_EVENT_SOCKET, connection.client_cookie), SizeIs(1));
}

}  // namespace
}  // namespace exa::test
