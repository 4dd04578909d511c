// How much of a chunk is captured, and what is not looked at.
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "tests/bpf/capture_fixture.h"

namespace exa::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

using Bodies = Capture;

// Sends while another thread reads, since megabytes do not fit into the socket's queue.
void pump(const Connection& connection, std::string_view bytes) {
  std::jthread reader([&] { receive(connection.server.get(), bytes.size()); });
  send_all(connection.client.get(), bytes);
}

TEST_F(Bodies, OnlyTheFirstKibibyteOfALargeWriteWithAShortHead) {
  Connection connection;
  const std::string head = "POST / HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n";
  const std::string body(1 << 20, '.');
  pump(connection, head + body);
  send_all(connection.client.get(), kRequest);

  const auto seen = chunks(connection.client_cookie);
  ASSERT_GE(seen.size(), 2u);
  EXPECT_EQ(seen[0].bytes, (head + body).substr(0, 1024));
  EXPECT_EQ(seen[0].event.gap_reason, EXA_GAP_BUDGET);
  EXPECT_EQ(seen.back().bytes, kRequest);
  EXPECT_EQ(seen.back().event.position, head.size() + body.size());
  EXPECT_LE(seen.size(), 3u) << "a body costs no record";
}

TEST_F(Bodies, AHeadIsFollowedUpToTheBudget) {
  Connection connection;
  const std::string start = "GET / HTTP/1.1\r\nX-Long: ";
  const std::string head = start + std::string(3000, 'h') + "\r\n\r\n";
  send_all(connection.client.get(), head);
  const std::string longer = start + std::string(9000, 'h') + "\r\n\r\n";
  send_all(connection.client.get(), longer);

  const auto seen = chunks(connection.client_cookie);
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(seen[0].bytes, head);
  EXPECT_EQ(seen[0].event.gap_reason, EXA_GAP_NONE);
  EXPECT_EQ(seen[1].bytes, longer.substr(0, 4096));
  EXPECT_EQ(seen[1].event.length_bytes, longer.size());
  EXPECT_EQ(seen[1].event.gap_reason, EXA_GAP_BUDGET);
}

TEST_F(Bodies, PipelinedRequestsInOneWriteAreAllCaptured) {
  Connection connection;
  std::string pipelined;
  while (pipelined.size() < 3000)
    pipelined += kRequest;
  send_all(connection.client.get(), pipelined);

  const auto seen = chunks(connection.client_cookie);
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].bytes, pipelined);
}

TEST_F(Bodies, AnswersToPipelinedRequestsAreCapturedWhereverTheyBegin) {
  Connection connection;
  send_all(connection.client.get(), std::string(kRequest) + std::string(kRequest));
  receive(connection.server.get(), 2 * kRequest.size());
  std::string answers;
  while (answers.size() < 3000)
    answers += kResponse;
  send_all(connection.server.get(), answers);
  receive(connection.client.get(), 1500);  // ends within an answer
  receive(connection.client.get(), answers.size() - 1500);

  for (const auto& [cookie, direction] : {std::pair(connection.server_cookie, EXA_EGRESS),
                                          std::pair(connection.client_cookie, EXA_INGRESS)}) {
    std::string seen;
    for (const auto& chunk : chunks(cookie, direction)) {
      EXPECT_EQ(chunk.event.gap_reason, EXA_GAP_NONE);
      seen += chunk.bytes;
    }
    EXPECT_EQ(seen, answers);
  }
}

TEST_F(Bodies, AnswersThatAreNotPipelinedCostNoRecordForTheirBodies) {
  Connection connection;
  send_all(connection.client.get(), kRequest);
  const std::string body(3000, 'b');
  send_all(connection.server.get(), "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + body);
  send_all(connection.server.get(), body);

  const auto seen = chunks(connection.server_cookie, EXA_EGRESS);
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].bytes.size(), 1024u);
}

TEST_F(Bodies, AHeadInPiecesIsCapturedUntilTheBudgetIsSpent) {
  start({.capture_budget_bytes = 64});
  Connection connection;
  send_all(connection.client.get(), "G");
  send_all(connection.client.get(), "ET / HTTP/1.1\r\n");
  send_all(connection.client.get(), "X: " + std::string(100, 'x'));
  send_all(connection.client.get(), std::string(100, 'x') + "\r\n\r\n");

  const auto seen = chunks(connection.client_cookie);
  ASSERT_THAT(seen, SizeIs(3));
  EXPECT_EQ(seen[0].bytes, "G");
  EXPECT_EQ(seen[1].bytes, "ET / HTTP/1.1\r\n");
  EXPECT_EQ(seen[2].bytes, "X: " + std::string(45, 'x'));
  EXPECT_EQ(seen[2].event.gap_reason, EXA_GAP_BUDGET);
}

TEST_F(Bodies, CiphertextIsNeverLookedAtAgain) {
  Connection connection;
  send_all(connection.client.get(), std::string("\x16\x03\x01\x00\x10hello-client", 17));
  receive(connection.server.get(), 17);
  send_all(connection.client.get(), kRequest);
  send_all(connection.server.get(), kResponse);

  EXPECT_THAT(chunks(connection.client_cookie), IsEmpty());
  EXPECT_THAT(chunks(connection.server_cookie), IsEmpty());
  EXPECT_GE(count(EXA_COUNTER_FILTERED_TLS_UNREAD), 4u);
}

TEST_F(Bodies, ASocketThatSpeaksNothingKnownIsSwitchedOffAndRetried) {
  start({.ignore_after_runs = 4, .retry_after_runs = 8});
  Connection connection;
  const auto exchange = [&](std::string_view request, std::string_view response) {
    send_all(connection.client.get(), request);
    receive(connection.server.get(), request.size());
    send_all(connection.server.get(), response);
    receive(connection.client.get(), response.size());
  };
  for (int i = 0; i < 2; ++i)
    exchange("*1\r\n$4\r\nPING\r\n", "+PONG\r\n");
  EXPECT_GE(count(EXA_COUNTER_SOCKETS_IGNORED), 2u);
  EXPECT_THAT(chunks(connection.client_cookie), IsEmpty());
  for (int i = 0; i < 3; ++i)
    exchange(kRequest, kResponse);
  EXPECT_THAT(chunks(connection.client_cookie), IsEmpty()) << "switched off";
  EXPECT_GE(count(EXA_COUNTER_FILTERED_IGNORED_SOCKET), 12u);
  for (int i = 0; i < 2; ++i)
    exchange(kRequest, kResponse);
  EXPECT_GE(chunks(connection.client_cookie).size(), 2u) << "looked at again";
}

// By the kernel's iterator over socket storage, or where that is not safe, by notes.
class Sweep : public Bodies, public testing::WithParamInterface<bool> {};

TEST_P(Sweep, TellsPositionsThatMovedWithoutARecord) {
  auto features = kernel::probe_kernel_features();
  for (auto& feature : features.features)
    if (feature.id == kernel::FeatureId::kSweep) {
      if (GetParam() && !feature.present) GTEST_SKIP() << "this kernel's iterator is not safe";
      feature.present = GetParam();
    }
  start({.event_rings = kernel::suggested_event_rings()}, features);
  Connection connection;
  send_all(connection.client.get(), "POST / HTTP/1.1\r\nContent-Length: 9000\r\n\r\n");
  const auto swept = [&] {
    EXPECT_TRUE(programs_->sweep().has_value());
    return records<exa_position_event>(EXA_EVENT_POSITION, connection.client_cookie);
  };
  EXPECT_THAT(swept(), IsEmpty()) << "the chunk told it";
  const std::uint64_t before_ns = monotonic_ns();
  send_all(connection.client.get(), std::string(8000, '.'));  // spends the budget
  send_all(connection.client.get(), std::string(1000, '.'));
  const std::uint64_t after_ns = monotonic_ns();

  const auto positions = swept();
  ASSERT_THAT(positions, SizeIs(1));
  EXPECT_EQ(positions[0].direction[EXA_EGRESS].position, 41u + 9000u);
  EXPECT_GE(positions[0].direction[EXA_EGRESS].last_byte_ns, before_ns);
  EXPECT_LE(positions[0].direction[EXA_EGRESS].last_byte_ns, after_ns);
  EXPECT_EQ(positions[0].direction[EXA_INGRESS].position, 0u);
  EXPECT_THAT(swept(), SizeIs(1)) << "told once";

  send_all(connection.client.get(), std::string(500, '.'));
  EXPECT_THAT(swept(), SizeIs(2)) << "and again when it moves on";
  connection.client.reset();
  EXPECT_THAT(swept(), SizeIs(2)) << "the end told";
}
INSTANTIATE_TEST_SUITE_P(, Sweep, testing::Bool(),
                         [](const auto& test) { return test.param ? "ByTheIterator" : "ByNotes"; });

TEST_F(Bodies, PortsAreFiltered) {
  Connection excluded;
  Connection other;
  start({.excluded_ports = {excluded.server_port}});
  send_all(excluded.client.get(), kRequest);
  send_all(other.client.get(), kRequest);
  EXPECT_THAT(chunks(excluded.client_cookie), IsEmpty());
  EXPECT_THAT(chunks(other.client_cookie), SizeIs(1));
  EXPECT_GE(count(EXA_COUNTER_FILTERED_PORT), 1u);

  start({.included_ports = {excluded.server_port}});
  send_all(excluded.client.get(), kRequest);
  send_all(other.client.get(), kRequest);
  EXPECT_THAT(chunks(excluded.client_cookie), SizeIs(1));
  EXPECT_THAT(chunks(other.client_cookie), IsEmpty());
}

}  // namespace
}  // namespace exa::test
