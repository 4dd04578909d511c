// Which process it was, whether it is observed, and when it is gone.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/bpf/capture_fixture.h"

namespace exa::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class Processes : public Capture {
 protected:
  template <typename Event>
  std::vector<Event> of_process(const std::vector<std::string>& ring, int type, pid_t tgid) {
    std::vector<Event> found;
    for (const std::string& record : ring) {
      const auto header = load<exa_event_header>(record);
      if (header.type == type && header.tgid == static_cast<std::uint32_t>(tgid))
        found.push_back(load<Event>(record));
    }
    return found;
  }
  static pid_t in_child(const std::function<void()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
      body();
      ::_exit(0);
    }
    return child;
  }
};

TEST_F(Processes, AreToldAtTheirFirstBytesAndAtTheirEnd) {
  Connection connection;
  const pid_t child = in_child([&] {
    ::prctl(PR_SET_NAME, "exa-child");
    send_all(connection.client.get(), kRequest);
    send_all(connection.client.get(), kRequest);
  });
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  drain();

  for (const auto* ring : {&records_, &control_records_}) {
    const auto began = of_process<exa_process_event>(*ring, EXA_EVENT_PROCESS, child);
    ASSERT_THAT(began, SizeIs(1));
    EXPECT_EQ(began[0].parent_tgid, static_cast<std::uint32_t>(::getpid()));
    EXPECT_EQ(began[0].header.flags, EXA_PROCESS_FORKED);
    EXPECT_EQ(began[0].uid, 0u);
    EXPECT_NE(began[0].start_time_ns, 0u);
    EXPECT_STREQ(reinterpret_cast<const char*>(began[0].comm), "exa-child");
    EXPECT_EQ(reinterpret_cast<const char*>(began[0].exe_name),
              std::filesystem::read_symlink("/proc/self/exe").filename().string());
    EXPECT_THAT(of_process<exa_event_header>(*ring, EXA_EVENT_PROCESS_EXIT, child), SizeIs(1));
  }
  std::vector<int> order;
  for (const std::string& record : records_)
    if (load<exa_event_header>(record).tgid == static_cast<std::uint32_t>(child))
      order.push_back(load<exa_event_header>(record).type);
  EXPECT_THAT(order, testing::ElementsAre(EXA_EVENT_PROCESS, EXA_EVENT_SOCKET, EXA_EVENT_CHUNK,
                                          EXA_EVENT_CHUNK, EXA_EVENT_PROCESS_EXIT));
}

TEST_F(Processes, AnotherProgramUnderTheSamePidIsToldAnew) {
  Connection connection;
  const pid_t child = in_child([&] {
    send_all(connection.client.get(), kRequest);
    ::dup2(connection.client.get(), 1);
    ::execl("/bin/echo", "echo", "GET /after HTTP/1.1", nullptr);
  });
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  drain();

  const auto told = of_process<exa_process_event>(records_, EXA_EVENT_PROCESS, child);
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_STREQ(reinterpret_cast<const char*>(told[1].exe_name), "echo");
  EXPECT_EQ(told[0].header.flags, EXA_PROCESS_FORKED);
  EXPECT_EQ(told[1].header.flags, 0);
  EXPECT_EQ(told[0].start_time_ns, told[1].start_time_ns);
}

TEST_F(Processes, WithoutTcpCostNoRecord) {
  const pid_t child = in_child([] {
    int ends[2];
    if (::pipe(ends) == 0) send_all(ends[1], kRequest);
  });
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  drain();
  EXPECT_THAT(of_process<exa_event_header>(records_, EXA_EVENT_PROCESS, child), IsEmpty());
  EXPECT_THAT(of_process<exa_event_header>(records_, EXA_EVENT_PROCESS_EXIT, child), IsEmpty());
}

// A 32-bit call from a 64-bit process: another table of numbers, other layouts.
TEST_F(Processes, CallsOf32BitsAreGaps) {
#if defined(__x86_64__)
  Connection connection;
  const int fd = connection.client.get();
  const pid_t child = in_child([&] {
    void* low = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (low == MAP_FAILED) ::_exit(1);
    std::memcpy(low, kRequest.data(), kRequest.size());
    constexpr int kWrite32 = 4;
    long result = kWrite32;
    asm volatile("int $0x80"
                 : "+a"(result)
                 : "b"(fd), "c"(low), "d"(kRequest.size())
                 : "memory", "r8", "r9", "r10", "r11");
    ::_exit(result == static_cast<long>(kRequest.size()) ? 0 : 1);
  });
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    GTEST_SKIP() << "this kernel runs no 32-bit calls";
  const auto seen = records<exa_chunk_event>(EXA_EVENT_CHUNK, connection.client_cookie);
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].gap_reason, EXA_GAP_COMPAT);
  EXPECT_EQ(seen[0].captured_bytes, 0u);
  EXPECT_EQ(seen[0].length_bytes, kRequest.size());
#else
  GTEST_SKIP() << "int 0x80 is of x86";
#endif
}

}  // namespace
}  // namespace exa::test
