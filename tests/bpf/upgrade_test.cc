// From HTTP/1 to HTTP/2 on one connection: where the frames begin, whatever calls they came
// through.
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/bpf/frames_fixture.h"

namespace exa::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

using http2_frames::kUpgradeAnswer;
using http2_frames::kUpgradeRequest;

class Upgrade : public Frames {
 protected:
  static void ask(const Connection& connection) {
    send_all(connection.client.get(), kUpgradeRequest);
    receive(connection.server.get(), kUpgradeRequest.size());
  }
  static void switch_with(const Connection& connection, std::string_view frames) {
    const auto all = std::string(kUpgradeAnswer) + std::string(frames);
    send_all(connection.server.get(), all);
    receive(connection.client.get(), all.size());
  }
  void expect_switched(const Connection& connection, std::string_view answered) {
    const auto asked = settings() + head(3);
    EXPECT_EQ(kept(connection.client_cookie, EXA_EGRESS), asked);
    EXPECT_EQ(kept(connection.server_cookie, EXA_INGRESS), asked);
    EXPECT_EQ(kept(connection.server_cookie, EXA_EGRESS), answered);
    EXPECT_EQ(kept(connection.client_cookie, EXA_INGRESS), answered);
    EXPECT_EQ(count(EXA_COUNTER_CONNECTIONS_HTTP2), 0u);
    for (const auto cookie : {connection.server_cookie, connection.client_cookie})
      for (const auto direction : {EXA_EGRESS, EXA_INGRESS})
        for (const auto& record : frames(cookie, direction))
          EXPECT_EQ(record.event.before.flags & EXA_HTTP2_MISSED, 0);
  }
  void go_on(const Connection& connection) {
    open(connection);
    send_all(connection.client.get(), head(3));
    receive(connection.server.get(), head(3).size());
  }
};

TEST_F(Upgrade, FramesBeginBehindTheHeadInTheSameCall) {
  Connection connection;
  ask(connection);
  switch_with(connection, settings() + head(1) + data(1, 50, 1));
  go_on(connection);
  expect_switched(connection, settings() + head(1) + data(1, 50, 1).substr(0, 9));

  const auto told = chunks(connection.server_cookie, EXA_EGRESS);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].event.length_bytes, kUpgradeAnswer.size());
  EXPECT_EQ(told[0].bytes, kUpgradeAnswer);
  const auto first = frames(connection.server_cookie, EXA_EGRESS).at(0);
  EXPECT_EQ(first.event.chunk.flags, EXA_CHUNK_HEAD_TOLD);
  EXPECT_EQ(first.event.chunk.position, 0u);
  EXPECT_EQ(first.event.before.left, kUpgradeAnswer.size());
  EXPECT_EQ(first.event.before.header[3], EXA_HTTP2_NO_FRAME);
}

TEST_F(Upgrade, FramesMayBeginInAnotherSegment) {
  Connection connection;
  ask(connection);
  std::string switched(kUpgradeAnswer);
  auto frames = settings() + head(1);
  const std::array<iovec, 2> parts{iovec{switched.data(), switched.size()},
                                   iovec{frames.data(), frames.size()}};
  const auto all = static_cast<ssize_t>(switched.size() + frames.size());
  ASSERT_EQ(::writev(connection.server.get(), parts.data(), 2), all);
  receive(connection.client.get(), static_cast<std::size_t>(all));
  go_on(connection);
  expect_switched(connection, frames);
}

// Whatever the calls: here at both ends, and then by small reads of one written call.
TEST_F(Upgrade, TheHeadMayComeInPieces) {
  const auto all = std::string(kUpgradeAnswer) + settings() + head(1);
  for (std::size_t split = 1; split < kUpgradeAnswer.size() + 8; split += 3) {
    Connection connection;
    ask(connection);
    for (const auto& piece : {all.substr(0, split), all.substr(split)}) {
      send_all(connection.server.get(), piece);
      receive(connection.client.get(), piece.size());
    }
    go_on(connection);
    SCOPED_TRACE("split at " + std::to_string(split));
    expect_switched(connection, settings() + head(1));
  }
  for (const std::size_t size : {1u, 2u, 3u, 7u}) {
    Connection connection;
    ask(connection);
    send_all(connection.server.get(), kUpgradeAnswer);
    for (std::size_t at = 0; at < kUpgradeAnswer.size(); at += size)
      receive(connection.client.get(), std::min(size, kUpgradeAnswer.size() - at));
    send_all(connection.server.get(), settings() + head(1));
    receive(connection.client.get(), (settings() + head(1)).size());
    go_on(connection);
    SCOPED_TRACE("reads of " + std::to_string(size));
    expect_switched(connection, settings() + head(1));
  }
}

TEST_F(Upgrade, TheHeadMayBeLong) {
  for (const std::size_t bytes : {900u, 1'100u, 3'000u}) {
    const auto switched =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nX: " + std::string(bytes, 'x') +
        "\r\nUpgrade: h2c\r\n\r\n";
    Connection connection;
    ask(connection);
    send_all(connection.server.get(), switched + settings() + head(1));
    receive(connection.client.get(), switched.size() + settings().size() + head(1).size());
    go_on(connection);
    SCOPED_TRACE(bytes);
    expect_switched(connection, settings() + head(1));
  }
}

TEST_F(Upgrade, InterimAnswersMayComeBefore) {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  constexpr std::string_view kHints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  for (const bool at_once : {true, false}) {
    Connection connection;
    ask(connection);
    const auto before = std::string(kContinue) + std::string(kHints);
    const auto rest = std::string(kUpgradeAnswer) + settings() + head(1);
    for (const auto& piece : at_once ? std::vector{before + rest} : std::vector{before, rest}) {
      send_all(connection.server.get(), piece);
      receive(connection.client.get(), piece.size());
    }
    go_on(connection);
    expect_switched(connection, settings() + head(1));
  }
}

TEST_F(Upgrade, ThePrefaceMayComeByteByByte) {
  Connection connection;
  ask(connection);
  switch_with(connection, {});
  for (const char byte : kPreface) {
    send_all(connection.client.get(), std::string(1, byte));
    receive(connection.server.get(), 1);
  }
  send_all(connection.client.get(), settings() + head(3));
  receive(connection.server.get(), (settings() + head(3)).size());
  send_all(connection.server.get(), settings() + head(1));
  receive(connection.client.get(), (settings() + head(1)).size());
  expect_switched(connection, settings() + head(1));
}

TEST_F(Upgrade, TheServerMayGoOnLater) {
  Connection connection;
  ask(connection);
  switch_with(connection, {});
  send_all(connection.server.get(), settings() + head(1));
  receive(connection.client.get(), (settings() + head(1)).size());
  go_on(connection);
  expect_switched(connection, settings() + head(1));
}

TEST_F(Upgrade, TheClientMayGoOnFirst) {
  Connection connection;
  ask(connection);
  switch_with(connection, {});
  go_on(connection);
  send_all(connection.server.get(), settings() + head(1));
  receive(connection.client.get(), (settings() + head(1)).size());
  expect_switched(connection, settings() + head(1));
}

TEST_F(Upgrade, WhatElseIsSwitchedToIsNotWalkedAlong) {
  constexpr std::string_view kMessage("\x81\x05hello", 7);
  for (const auto* const with : {"", "\x81\x05hello", "P"}) {
    Connection connection;
    ask(connection);
    switch_with(connection, with);
    send_all(connection.client.get(), kMessage);
    receive(connection.server.get(), kMessage.size());
    send_all(connection.server.get(), settings() + head(1));
    receive(connection.client.get(), (settings() + head(1)).size());
    EXPECT_THAT(frames(connection.server_cookie, EXA_EGRESS), IsEmpty());
    EXPECT_THAT(frames(connection.client_cookie, EXA_INGRESS), IsEmpty());
  }
}

}  // namespace
}  // namespace exa::test
