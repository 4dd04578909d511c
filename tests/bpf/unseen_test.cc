// Bytes whose buffer is out of reach: gaps of exact length, never other memory.
#include <fcntl.h>
#include <liburing.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "tests/bpf/capture_fixture.h"

namespace exa::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class Unseen : public Capture {
 protected:
  static UniqueFd file_with(std::string_view bytes) {
    UniqueFd file(::memfd_create("body", MFD_CLOEXEC));
    send_all(file.get(), bytes);
    EXPECT_EQ(::lseek(file.get(), 0, SEEK_SET), 0);
    return file;
  }
  // Exactly one chunk, all gap.
  void expect_gap(std::uint64_t cookie, exa_direction direction, std::uint64_t position,
                  std::size_t length) {
    const auto seen = chunks(cookie, direction);
    ASSERT_THAT(seen, SizeIs(1));
    EXPECT_EQ(seen[0].event.captured_bytes, 0u);
    EXPECT_EQ(seen[0].event.gap_reason, EXA_GAP_NO_BUFFER);
    EXPECT_EQ(seen[0].event.position, position);
    EXPECT_EQ(seen[0].event.length_bytes, length);
  }
};

TEST_F(Unseen, Sendfile) {
  Connection connection;
  const std::string body(3000, 'b');
  const UniqueFd file = file_with(body);
  const std::string_view head = "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n";
  send_all(connection.server.get(), head);
  ASSERT_EQ(::sendfile(connection.server.get(), file.get(), nullptr, body.size()), 3000);
  receive(connection.client.get(), head.size() + body.size());
  send_all(connection.client.get(), kRequest);
  send_all(connection.server.get(), kResponse);

  const auto seen = chunks(connection.server_cookie);
  ASSERT_GE(seen.size(), 3u);
  EXPECT_EQ(seen[0].bytes, head);
  EXPECT_EQ(seen[1].event.gap_reason, EXA_GAP_NO_BUFFER);
  EXPECT_EQ(seen[1].event.captured_bytes, 0u);
  EXPECT_EQ(seen[1].event.position, head.size());
  EXPECT_EQ(seen.back().bytes, kResponse);
  EXPECT_EQ(seen.back().event.position, head.size() + body.size());
}

TEST_F(Unseen, SpliceIntoASocket) {
  Connection connection;
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd from(ends[0]), to(ends[1]);
  send_all(to.get(), kResponse);
  ASSERT_EQ(::splice(from.get(), nullptr, connection.server.get(), nullptr, kResponse.size(), 0),
            static_cast<ssize_t>(kResponse.size()));
  expect_gap(connection.server_cookie, EXA_EGRESS, 0, kResponse.size());
}

TEST_F(Unseen, SpliceFromASocketIsSeenByTheNextPosition) {
  Connection connection;
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd from(ends[0]), to(ends[1]);
  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());
  send_all(connection.client.get(), std::string(5000, 'b'));
  std::size_t spliced = 0;
  while (spliced < 5000) {
    const auto size =
        ::splice(connection.server.get(), nullptr, to.get(), nullptr, 5000 - spliced, 0);
    ASSERT_GT(size, 0);
    spliced += static_cast<std::size_t>(size);
  }
  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());

  const auto seen = chunks(connection.server_cookie, EXA_INGRESS);
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(seen[1].bytes, kRequest);
  EXPECT_EQ(seen[1].event.position, kRequest.size() + 5000);
}

// An answer that no program saw being read lies between two requests, which are not pipelined.
TEST_F(Unseen, TheOtherDirectionIsKnownToHaveMoved) {
  Connection connection;
  send_all(connection.client.get(), kRequest);
  receive(connection.server.get(), kRequest.size());
  send_all(connection.server.get(), kResponse);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd from(ends[0]), to(ends[1]);
  ASSERT_EQ(::splice(connection.client.get(), nullptr, to.get(), nullptr, kResponse.size(), 0),
            static_cast<ssize_t>(kResponse.size()));
  send_all(connection.client.get(), kRequest);
  send_all(connection.client.get(), kRequest);

  const auto sent = chunks(connection.client_cookie, EXA_EGRESS);
  ASSERT_THAT(sent, SizeIs(3));
  EXPECT_EQ(sent[0].event.other_moved, 0);
  EXPECT_EQ(sent[1].event.other_moved, 1);
  EXPECT_EQ(sent[2].event.other_moved, 0);
}

TEST_F(Unseen, TruncatedReceive) {
  Connection connection;
  send_all(connection.client.get(), kRequest);
  std::string buffer(512, '!');
  ASSERT_EQ(::recv(connection.server.get(), buffer.data(), buffer.size(), MSG_TRUNC),
            static_cast<ssize_t>(kRequest.size()));
  expect_gap(connection.server_cookie, EXA_INGRESS, 0, kRequest.size());
}

class UnseenRing : public Unseen, public testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    Unseen::SetUp();
    if (IsSkipped()) return;
    if (const int status = ::io_uring_queue_init(8, &ring_, flags()); status < 0)
      GTEST_SKIP() << "io_uring is not to be had: " << std::strerror(-status);
    have_ring_ = true;
  }
  void TearDown() override {
    if (have_ring_) ::io_uring_queue_exit(&ring_);
    Unseen::TearDown();
  }
  [[nodiscard]] unsigned flags() const { return GetParam() == 2 ? IORING_SETUP_SQPOLL : 0; }
  int submit(io_uring_sqe* entry) {
    if (GetParam() == 1) entry->flags |= IOSQE_ASYNC;
    EXPECT_EQ(::io_uring_submit(&ring_), 1);
    return 0;
  }
  int wait() {
    io_uring_cqe* done = nullptr;
    EXPECT_EQ(::io_uring_wait_cqe(&ring_, &done), 0);
    const int result = done->res;
    ::io_uring_cqe_seen(&ring_, done);
    return result;
  }
  io_uring ring_{};
  bool have_ring_ = false;
};
INSTANTIATE_TEST_SUITE_P(IoUring, UnseenRing, testing::Values(0, 1, 2), [](const auto& mode) {
  return std::string(mode.param == 0 ? "Inline" : mode.param == 1 ? "Worker" : "PollThread");
});

TEST_P(UnseenRing, SendAndReceive) {
  Connection connection;
  io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
  ::io_uring_prep_send(entry, connection.client.get(), kRequest.data(), kRequest.size(), 0);
  submit(entry);
  ASSERT_EQ(wait(), static_cast<int>(kRequest.size()));
  expect_gap(connection.client_cookie, EXA_EGRESS, 0, kRequest.size());

  std::string buffer(512, '!');
  entry = ::io_uring_get_sqe(&ring_);
  ::io_uring_prep_recv(entry, connection.server.get(), buffer.data(), buffer.size(), 0);
  submit(entry);
  ASSERT_EQ(wait(), static_cast<int>(kRequest.size()));
  expect_gap(connection.server_cookie, EXA_INGRESS, 0, kRequest.size());
}

TEST_P(UnseenRing, AReceiveThatCompletesOnTheWayOutOfAnotherCall) {
  Connection connection;
  Connection bystander;
  std::string buffer(512, '!');
  io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
  ::io_uring_prep_recv(entry, connection.server.get(), buffer.data(), buffer.size(), 0);
  submit(entry);
  // The completion may run while this call's buffer is in the registers.
  std::string decoy = "GET /decoy HTTP/1.1\r\n\r\n";
  send_all(connection.client.get(), kRequest);
  send_all(bystander.client.get(), decoy);
  std::string sink(512, '?');
  ASSERT_GT(::read(bystander.server.get(), sink.data(), sink.size()), 0);
  ASSERT_EQ(wait(), static_cast<int>(kRequest.size()));
  expect_gap(connection.server_cookie, EXA_INGRESS, 0, kRequest.size());
}

// The kernel has taken the bytes up; until the call returns the process locks them away (it does
// not unmap them: another mapping could take their place). A write that waits for its reader leaves
// time.
TEST_F(Unseen, ABufferThatIsLockedWhenTheCallReturnsIsAGap) {
  Connection connection;
  constexpr std::size_t kBytes = 32 << 20;  // far more than the socket's queue takes
  auto* const buffer = static_cast<char*>(
      mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(buffer, MAP_FAILED);
  std::memset(buffer, 'b', kBytes);
  std::memcpy(buffer, kRequest.data(), kRequest.size());
  const auto faults = count(EXA_COUNTER_READ_FAULT);

  std::atomic<pid_t> thread = 0;
  std::jthread writer([&] {
    thread = gettid();
    EXPECT_EQ(write(connection.client.get(), buffer, kBytes), static_cast<ssize_t>(kBytes));
  });
  ASSERT_TRUE(eventually([&] {
    int queued = 0;
    return thread != 0 && ioctl(connection.client.get(), SIOCOUTQ, &queued) == 0 && queued > 0 &&
           sleeps(thread);
  }));
  ASSERT_EQ(mprotect(buffer, 4096, PROT_NONE), 0);
  receive(connection.server.get(), kBytes);
  writer.join();
  munmap(buffer, kBytes);

  const auto seen = chunks(connection.client_cookie, EXA_EGRESS);
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].event.gap_reason, EXA_GAP_READ_FAULT);
  EXPECT_EQ(seen[0].event.length_bytes, kBytes);
  EXPECT_EQ(seen[0].bytes, "");
  EXPECT_GT(count(EXA_COUNTER_READ_FAULT), faults);
}

}  // namespace
}  // namespace exa::test
