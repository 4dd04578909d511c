// HTTP/2: what the walk along frames tells of them, whatever calls they came through.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <thread>

#include "tests/bpf/frames_fixture.h"

namespace exa::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(Frames, AreToldAtBothEndsFromThePrefaceOn) {
  Connection connection;
  const auto sent = std::string(kPreface) + settings() + head(1) + data(1, 100, 1);
  send_all(connection.client.get(), sent);
  receive(connection.server.get(), sent.size());
  send_all(connection.server.get(), settings() + head(1) + data(1, 50, 1));
  receive(connection.client.get(), settings().size() + head(1).size() + 59);

  const auto asked = settings() + head(1) + data(1, 100, 1).substr(0, 9);
  EXPECT_EQ(kept(connection.client_cookie, EXA_EGRESS), asked);
  EXPECT_EQ(kept(connection.server_cookie, EXA_INGRESS), asked);
  const auto answered = settings() + head(1) + data(1, 50, 1).substr(0, 9);
  EXPECT_EQ(kept(connection.server_cookie, EXA_EGRESS), answered);
  EXPECT_EQ(kept(connection.client_cookie, EXA_INGRESS), answered);

  const auto record = frames(connection.client_cookie, EXA_EGRESS).at(0);
  EXPECT_EQ(record.event.before.preface_left, EXA_HTTP2_PREFACE_BYTES);
  EXPECT_EQ(record.event.before.flags, EXA_HTTP2_IN_STEP);
  EXPECT_EQ(record.event.chunk.length_bytes, sent.size());
  EXPECT_EQ(record.event.chunk.position, 0u);
  EXPECT_EQ(record.event.chunk.tcp_sequence,
            frames(connection.server_cookie, EXA_INGRESS).at(0).event.chunk.tcp_sequence);
}

TEST_F(Frames, AreToldWhereTheServerSpeaksFirst) {
  Connection connection;
  send_all(connection.server.get(), settings());
  receive(connection.client.get(), settings().size());
  open(connection);
  EXPECT_EQ(kept(connection.server_cookie, EXA_EGRESS), settings());
  EXPECT_EQ(kept(connection.server_cookie, EXA_INGRESS), settings());
  EXPECT_EQ(frames(connection.server_cookie, EXA_INGRESS).at(0).event.before.preface_left,
            EXA_HTTP2_PREFACE_BYTES);
}

TEST_F(Frames, AreFollowedByteByByte) {
  Connection connection;
  const auto sent = std::string(kPreface) + settings() + head(1, 5) + data(1, 3, 1);
  for (const char byte : sent)
    send_all(connection.client.get(), std::string(1, byte));
  EXPECT_EQ(kept(connection.client_cookie, EXA_EGRESS),
            settings() + head(1, 5) + data(1, 3, 1).substr(0, 9));
}

// Heads of two hundred streams in one call, each as two segments. All that was sent.
std::string send_many(int socket) {
  std::vector<std::string> parts;
  for (std::uint32_t stream = 1; stream < 400; stream += 2) {
    const auto one = head(stream);
    parts.push_back(one.substr(0, 9));
    parts.push_back(one.substr(9));
  }
  std::vector<iovec> segments;
  std::string all;
  for (auto& part : parts) {
    segments.push_back({part.data(), part.size()});
    all += part;
  }
  EXPECT_EQ(::writev(socket, segments.data(), static_cast<int>(segments.size())),
            static_cast<ssize_t>(all.size()));
  return all;
}

TEST_F(Frames, AreFollowedOverAnyNumberOfSegments) {
  Connection connection;
  open(connection);
  const auto all = send_many(connection.client.get());
  EXPECT_EQ(kept(connection.client_cookie, EXA_EGRESS), settings() + all);
  EXPECT_GT(count(EXA_COUNTER_HITS_FURTHER), 0u) << "more than one record holds";
}

TEST_F(Frames, AHeadOfAnyLengthIsToldInParts) {
  Connection connection;
  open(connection);
  const auto large = head(1, 60'000);
  std::jthread reader([&] { receive(connection.server.get(), large.size()); });
  send_all(connection.client.get(), large);
  EXPECT_EQ(kept(connection.client_cookie, EXA_EGRESS), settings() + large);
  std::uint64_t position = 0;
  for (const auto& record : frames(connection.client_cookie, EXA_EGRESS)) {
    EXPECT_EQ(record.event.chunk.position, position) << "each record says where it lies";
    position += record.event.chunk.length_bytes;
  }
}

TEST_F(Frames, DataTellsItsEndOnly) {
  Connection connection;
  open(connection);
  send_all(connection.server.get(), settings() + head(1) + data(1, 100'000, 1).substr(0, 9));
  const auto before = frames(connection.server_cookie, EXA_EGRESS).size();
  for (int part = 0; part < 10; ++part) {
    EXPECT_THAT(frames(connection.server_cookie, EXA_EGRESS), SizeIs(before));
    send_all(connection.server.get(), std::string(10'000, 'd'));
  }
  const auto all = frames(connection.server_cookie, EXA_EGRESS);
  ASSERT_THAT(all, SizeIs(before + 1));
  EXPECT_THAT(all.back().kept, IsEmpty());
  EXPECT_EQ(all.back().event.before.left, 10'000u);
  EXPECT_EQ(all.back().event.chunk.length_bytes, 10'000u);
}

TEST_F(Frames, SendfileMayCarryTheLastByte) {
  Connection connection;
  open(connection);
  const UniqueFd file(::memfd_create("body", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(file.get(), 5'000), 0);
  send_all(connection.server.get(), settings() + head(1) + data(1, 5'000, 1).substr(0, 9));
  ASSERT_EQ(::sendfile(connection.server.get(), file.get(), nullptr, 5'000), 5'000);
  send_all(connection.server.get(), head(3));
  const auto all = frames(connection.server_cookie, EXA_EGRESS);
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[1].event.before.left, 5'000u);
  EXPECT_EQ(all[2].kept, head(3));
  EXPECT_EQ(all[2].event.before.flags, EXA_HTTP2_IN_STEP);
}

TEST_F(Frames, WhatNobodySawIsToldAtTheEndToo) {
  Connection connection;
  open(connection);
  const auto answer = head(1);
  const UniqueFd file(::memfd_create("answer", MFD_CLOEXEC));
  ASSERT_EQ(::write(file.get(), answer.data(), answer.size()), static_cast<ssize_t>(answer.size()));
  off_t from = 0;
  ASSERT_EQ(::sendfile(connection.server.get(), file.get(), &from, answer.size()),
            static_cast<ssize_t>(answer.size()));
  connection.server.reset();
  const auto ends = records<exa_end_event>(EXA_EVENT_END, connection.server_cookie);
  ASSERT_THAT(ends, SizeIs(1));
  EXPECT_TRUE(ends[0].flags & EXA_END_MISSED_EGRESS);
  EXPECT_FALSE(ends[0].flags & EXA_END_MISSED_INGRESS);
}

TEST_F(Frames, AConnectionThatIsOlderIsJoined) {
  Connection connection;
  send_all(connection.client.get(), head(5) + data(5, 40, 1));
  receive(connection.server.get(), head(5).size() + 49);
  send_all(connection.server.get(), head(5) + data(5, 10, 1));
  const auto joined = frames(connection.server_cookie, EXA_INGRESS);
  ASSERT_THAT(joined, SizeIs(1));
  EXPECT_EQ(joined[0].kept, head(5) + data(5, 40, 1).substr(0, 9));
  EXPECT_EQ(joined[0].event.before.flags, EXA_HTTP2_IN_STEP | EXA_HTTP2_MISSED);
  EXPECT_EQ(kept(connection.server_cookie, EXA_EGRESS), head(5) + data(5, 10, 1).substr(0, 9));
}

// Go's servers do, over TLS and without.
void read_by_parts(const Connection& connection, std::string_view frame) {
  receive(connection.server.get(), 9);
  receive(connection.server.get(), frame.size() - 9);
}

TEST_F(Frames, AConnectionIsJoinedWhereHeadersAreReadByThemselves) {
  Connection connection;
  send_all(connection.client.get(), head(5) + head(7));
  read_by_parts(connection, head(5));
  read_by_parts(connection, head(7));
  const auto joined = frames(connection.server_cookie, EXA_INGRESS);
  ASSERT_THAT(joined, SizeIs(testing::Ge(2)));
  EXPECT_EQ(kept(connection.server_cookie, EXA_INGRESS), head(5) + head(7));
  EXPECT_EQ(joined[0].event.before.flags, EXA_HTTP2_IN_STEP | EXA_HTTP2_MISSED);
}

TEST_F(Frames, AHeaderByItselfThatOpensNoStreamMayBeAnything) {
  Connection connection;
  const auto update = frame(EXA_HTTP2_WINDOW_UPDATE, 0, 0, std::string(4, '\1'));
  send_all(connection.client.get(), update + head(7));
  read_by_parts(connection, update);
  EXPECT_THAT(frames(connection.server_cookie, EXA_INGRESS), IsEmpty());
  send_all(connection.server.get(), head(5) + data(5, 40, 1));
  read_by_parts(connection, head(7));
  EXPECT_EQ(kept(connection.server_cookie, EXA_INGRESS), head(7));
}

TEST_F(Frames, AConnectionIsJoinedOverAnyNumberOfSegments) {
  Connection connection;
  const auto all = send_many(connection.client.get());
  EXPECT_EQ(kept(connection.client_cookie, EXA_EGRESS), all);
}

TEST_F(Frames, AHeaderThatIsNoneLosesThePlaceUntilTheNextFrames) {
  Connection connection;
  open(connection);
  const auto before = count(EXA_COUNTER_FILTERED_OUT_OF_STEP);
  send_all(connection.client.get(), frame(EXA_HTTP2_PING, 0, 7, "12345678"));
  EXPECT_GT(count(EXA_COUNTER_FILTERED_OUT_OF_STEP), before);
  send_all(connection.client.get(), head(9));
  const auto all = frames(connection.client_cookie, EXA_EGRESS);
  EXPECT_EQ(all.back().kept, head(9));
  EXPECT_TRUE(all.back().event.before.flags & EXA_HTTP2_MISSED);
  send_all(connection.client.get(), head(11));
  EXPECT_EQ(frames(connection.client_cookie, EXA_EGRESS).back().event.before.flags,
            EXA_HTTP2_IN_STEP);
}

TEST_F(Frames, AnotherProtocolIsNotTakenForFrames) {
  Connection connection;
  for (int turn = 0; turn < 20; ++turn) {
    send_all(connection.client.get(), std::string("\0\0\x10\x03\0\0\0\0binary stuff", 20));
    receive(connection.server.get(), 20);
    send_all(connection.server.get(), std::string("\0\0\0\x30\x01\x02\x03\x04\x05\x06\x07", 11));
    receive(connection.client.get(), 11);
  }
  EXPECT_THAT(frames(connection.client_cookie, EXA_EGRESS), IsEmpty());
  EXPECT_THAT(frames(connection.server_cookie, EXA_EGRESS), IsEmpty());
}

}  // namespace
}  // namespace exa::test
