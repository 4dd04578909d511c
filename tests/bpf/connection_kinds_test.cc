// Connections that are not read are counted by their kind, once each, for the process that has
// them.
#include <fcntl.h>
#include <liburing.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "agent/kernel/bpf_object.h"
#include "agent/kernel/connection_counts.h"
#include "tests/bpf/capture_fixture.h"

namespace exa::test {
namespace {

constexpr std::string_view kHello("\x16\x03\x01\x00\x10hello-client", 17);
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

class ConnectionKinds : public Capture {
 protected:
  [[nodiscard]] std::array<std::uint32_t, EXA_KIND_COUNT> counts_of(pid_t process = ::getpid()) {
    const auto all =
        kernel::read_connection_counts(kernel::map_fd_of(programs_->object(), "exa_kinds"));
    const auto found = all.find(static_cast<std::uint32_t>(process));
    std::array<std::uint32_t, EXA_KIND_COUNT> counts{};
    if (found != all.end()) std::ranges::copy(found->second.connections, counts.begin());
    return counts;
  }
  static std::array<std::uint32_t, EXA_KIND_COUNT> only(exa_connection_kind kind,
                                                        std::uint32_t connections) {
    std::array<std::uint32_t, EXA_KIND_COUNT> counts{};
    counts.at(kind) = connections;
    return counts;
  }
  // Both ends of each connection are this process'.
  static void exchange(std::string_view request, std::string_view answer) {
    Connection connection;
    for (int turn = 0; turn < 3; ++turn) {
      send_all(connection.client.get(), request);
      receive(connection.server.get(), request.size());
      send_all(connection.server.get(), answer);
      receive(connection.client.get(), answer.size());
    }
  }
};

TEST_F(ConnectionKinds, Http1IsNoneOfThem) {
  exchange(kRequest, kResponse);
  EXPECT_EQ(counts_of(), (std::array<std::uint32_t, EXA_KIND_COUNT>{}));
}

TEST_F(ConnectionKinds, NorIsHttp2) {
  Connection connection;
  send_all(connection.client.get(), kPreface);
  receive(connection.server.get(), kPreface.size());
  EXPECT_EQ(counts_of(), (std::array<std::uint32_t, EXA_KIND_COUNT>{}));
}

TEST_F(ConnectionKinds, Http2InATunnelIs) {
  Connection connection;
  send_all(connection.client.get(), "CONNECT shop:80 HTTP/1.1\r\nHost: shop:80\r\n\r\n");
  send_all(connection.server.get(), "HTTP/1.1 200 Connection established\r\n\r\n");
  send_all(connection.client.get(), kPreface);
  EXPECT_EQ(counts_of(), only(EXA_KIND_HTTP2, 1)) << "the server has not read it";
}

TEST_F(ConnectionKinds, TlsIsKnownByItsHandshakeOrOnceItIsOlder) {
  exchange(kHello, std::string_view("\x16\x03\x03\x00\x10hello-server", 17));
  EXPECT_EQ(counts_of(), only(EXA_KIND_TLS, 2));

  exchange(std::string_view("\x17\x03\x03\x00\x14twenty bytes of data", 25),
           std::string_view("\x17\x03\x03\x00\x14twenty bytes of data", 25));
  EXPECT_EQ(counts_of(), only(EXA_KIND_TLS, 4)) << "as of connections older than the agent";
}

TEST_F(ConnectionKinds, WhatSpeaksNothingKnownIsCountedOnceThatIsSure) {
  for (int connections = 0; connections < 2; ++connections) {
    Connection connection;
    for (int turn = 0; turn < 20; ++turn) {
      send_all(connection.client.get(), "\1\2\3");
      receive(connection.server.get(), 3);
      send_all(connection.server.get(), "\4\5\6");
      receive(connection.client.get(), 3);
    }
  }
  EXPECT_EQ(counts_of(), only(EXA_KIND_UNKNOWN, 4));
}

TEST_F(ConnectionKinds, Http1ThatIsMovedByteByByteIsNone) {
  Connection connection;
  const auto move = [](const UniqueFd& from, const UniqueFd& to, std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      send_all(from.get(), bytes.substr(at, 1));
      receive(to.get(), 1);
    }
  };
  for (int turn = 0; turn < 20; ++turn) {
    move(connection.client, connection.server, kRequest);
    move(connection.server, connection.client, kResponse);
  }
  EXPECT_EQ(counts_of(), (std::array<std::uint32_t, EXA_KIND_COUNT>{}));
}

TEST_F(ConnectionKinds, WhatIsSplicedFromItsFirstByteHasNoHeads) {
  Connection connection;
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd from(ends[0]);
  const UniqueFd to(ends[1]);
  for (int turn = 0; turn < 2; ++turn) {
    send_all(to.get(), kResponse);
    ASSERT_EQ(::splice(from.get(), nullptr, connection.server.get(), nullptr, kResponse.size(), 0),
              static_cast<ssize_t>(kResponse.size()));
    EXPECT_EQ(counts_of(), only(EXA_KIND_SPLICED, 1));
  }
}

TEST_F(ConnectionKinds, ABodyFromAFileIsNone) {
  Connection connection;
  const UniqueFd file(::memfd_create("body", MFD_CLOEXEC));
  send_all(file.get(), "12");
  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());
  send_all(connection.server.get(), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  off_t at = 0;
  ASSERT_EQ(::sendfile(connection.server.get(), file.get(), &at, 2), 2);
  EXPECT_EQ(counts_of(), (std::array<std::uint32_t, EXA_KIND_COUNT>{}));
}

TEST_F(ConnectionKinds, WhatARingMovesIsOutOfReach) {
  io_uring ring{};
  if (const int status = ::io_uring_queue_init(8, &ring, 0); status < 0)
    GTEST_SKIP() << "io_uring is not to be had: " << std::strerror(-status);
  Connection connection;
  for (int turn = 0; turn < 2; ++turn) {
    auto* const entry = ::io_uring_get_sqe(&ring);
    ::io_uring_prep_send(entry, connection.client.get(), kRequest.data(), kRequest.size(), 0);
    if (turn == 1) entry->flags |= IOSQE_ASYNC;
    ASSERT_EQ(::io_uring_submit(&ring), 1);
    io_uring_cqe* done = nullptr;
    ASSERT_EQ(::io_uring_wait_cqe(&ring, &done), 0);
    ::io_uring_cqe_seen(&ring, done);
    EXPECT_EQ(receive(connection.server.get(), kRequest.size()), kRequest);
    EXPECT_EQ(counts_of(), only(EXA_KIND_IO_URING, 1)) << "its other end is read";
  }
  ::io_uring_queue_exit(&ring);
}

TEST_F(ConnectionKinds, DatagramsOfTheWellKnownPortAreHttp3) {
  const UniqueFd client(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const UniqueFd other(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto connect_to = [&](const UniqueFd& socket, std::uint16_t port) {
    address.sin_port = htons(port);
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  };
  ASSERT_EQ(connect_to(client, 443), 0);
  ASSERT_EQ(connect_to(other, 53), 0);
  for (int datagram = 0; datagram < 3; ++datagram) {
    (void)!::send(client.get(), "\xc0", 1, 0);  // nobody need listen
    (void)!::send(other.get(), "\xc0", 1, 0);
  }
  EXPECT_EQ(counts_of(), only(EXA_KIND_HTTP3, 1));
}

// A listener of MPTCP gives its program a socket of MPTCP for a peer that speaks it, and a plain
// one for any other.
TEST_F(ConnectionKinds, MptcpIsNotRead) {
  const auto open = [](int protocol) {
    return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol));
  };
  const auto listener = open(IPPROTO_MPTCP);
  if (!listener.valid()) GTEST_SKIP() << "MPTCP is not to be had: " << std::strerror(errno);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener.get(), name, size), 0);
  ASSERT_EQ(::listen(listener.get(), 4), 0);
  ASSERT_EQ(::getsockname(listener.get(), name, &size), 0);
  const auto exchange_by = [&](int protocol) {
    const auto client = open(protocol);
    ASSERT_EQ(::connect(client.get(), name, size), 0);
    const UniqueFd server(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ASSERT_TRUE(server.valid());
    for (int turn = 0; turn < 3; ++turn) {
      send_all(client.get(), kRequest);
      receive(server.get(), kRequest.size());
      send_all(server.get(), kResponse);
      receive(client.get(), kResponse.size());
    }
  };

  exchange_by(IPPROTO_TCP);
  EXPECT_EQ(counts_of(), (std::array<std::uint32_t, EXA_KIND_COUNT>{}));

  const auto before = count(EXA_COUNTER_CONNECTIONS_MPTCP);
  exchange_by(IPPROTO_MPTCP);
  exchange_by(IPPROTO_MPTCP);
  EXPECT_EQ(counts_of(), only(EXA_KIND_MPTCP, 4)) << "both ends";
  EXPECT_GE(count(EXA_COUNTER_CONNECTIONS_MPTCP), before + 4);

  start({.excluded_ports = {ntohs(address.sin_port)}});
  exchange_by(IPPROTO_MPTCP);
  EXPECT_EQ(counts_of(), (std::array<std::uint32_t, EXA_KIND_COUNT>{}));
}

TEST_F(ConnectionKinds, AnExcludedPortIsNotCounted) {
  start({.excluded_ports = {443}});
  const UniqueFd client(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(443);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
            0);
  (void)!::send(client.get(), "\xc0", 1, 0);
  EXPECT_EQ(counts_of(), (std::array<std::uint32_t, EXA_KIND_COUNT>{}));
}

TEST_F(ConnectionKinds, GoWithTheirProcess) {
  int gate[2];
  ASSERT_EQ(::pipe(gate), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    exchange(kHello, kHello);
    char end = 0;
    ::close(gate[1]);
    _exit(static_cast<int>(::read(gate[0], &end, 1)));
  }
  EXPECT_TRUE(eventually([&] { return counts_of(child) == only(EXA_KIND_TLS, 2); }));
  ::close(gate[1]);
  ::close(gate[0]);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(counts_of(child), (std::array<std::uint32_t, EXA_KIND_COUNT>{}));
}

}  // namespace
}  // namespace exa::test
