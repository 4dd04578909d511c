#include "tests/bpf/capture_fixture.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string_view>
#include <thread>
#include <utility>

#include "agent/kernel/libbpf_log.h"
#include "tests/bpf/loaded_programs.h"

namespace exa::test {
namespace {

std::optional<kernel::CapturePrograms> kept;  // with the default settings, detached

std::uint64_t sum_of(std::string_view group, const kernel::KernelCounterValues& values) {
  std::uint64_t sum = 0;
  for (std::size_t row = 0; row < values.size(); ++row)
    if (group == kernel::kernel_counter_texts()[row].group) sum += values[row];
  return sum;
}

}  // namespace

void Capture::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "loading BPF programs needs root";
  kernel::route_libbpf_log(nullptr);
  const auto features = kernel::probe_kernel_features();
  if (!features.can_run()) GTEST_SKIP() << features.refusal();
  if (kept) {
    programs_ = std::exchange(kept, std::nullopt);
    forget_everything(*programs_);
  } else {
    load({.event_rings = kernel::suggested_event_rings()}, features);
  }
  to_be_kept_ = programs_.has_value();
  if (to_be_kept_) observe();
}

void Capture::start(const kernel::CaptureConfig& config, const kernel::KernelFeatures& features) {
  stop();
  release();
  records_.clear();
  control_records_.clear();
  load(config, features);
  if (programs_) observe();
}

void Capture::load(const kernel::CaptureConfig& config, const kernel::KernelFeatures& features) {
  auto programs = kernel::CapturePrograms::load(config, features);
  ASSERT_TRUE(programs.has_value()) << programs.error().text;
  programs_.emplace(std::move(*programs));
}

void Capture::observe() {
  auto events = kernel::RingReader::open(programs_->event_ring_fds());
  ASSERT_TRUE(events.has_value()) << events.error().text;
  events_.emplace(std::move(*events));
  auto control = kernel::RingReader::open(programs_->control_ring_fd());
  ASSERT_TRUE(control.has_value()) << control.error().text;
  control_.emplace(std::move(*control));
  auto counters = kernel::KernelCounters::open(programs_->counters_fd());
  ASSERT_TRUE(counters.has_value()) << counters.error().text;
  counters_.emplace(std::move(*counters));
  const auto attached = programs_->attach();
  ASSERT_TRUE(attached.has_value()) << attached.error().text;
  running_ = true;
}

bool Capture::sleeps(pid_t thread) {
  std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string text;
  std::getline(stat, text);
  const auto name_end = text.rfind(") ");
  return name_end != std::string::npos && text.substr(name_end + 2, 1) == "S";
}

void Capture::stop() {
  if (!running_) return;
  running_ = false;
  EXPECT_EQ(programs_->skipped_calls(), 0u);
  programs_->detach();
  drain();
  const auto values = counters_->read();
  ASSERT_TRUE(values.has_value()) << values.error().text;
  EXPECT_EQ(sum_of("hits", *values), sum_of("filtered", *values) +
                                         (*values)[EXA_COUNTER_EMITTED_CHUNK] +
                                         sum_of("dropped", *values));
  EXPECT_EQ(sum_of("tls_hits", *values), sum_of("tls_filtered", *values) +
                                             (*values)[EXA_COUNTER_EMITTED_TLS_CHUNK] +
                                             sum_of("tls_dropped", *values));
  EXPECT_EQ(sum_of("emitted", *values), records_.size());
  EXPECT_EQ((*values)[EXA_COUNTER_CONTROL_WRITTEN], control_records_.size());
}

void Capture::TearDown() {
  stop();
  release();
}

void Capture::release() {
  if (programs_ && events_ && control_) {  // whatever the test did to them
    programs_->detach();
    drain();
  }
  events_.reset();
  control_.reset();
  if (std::exchange(to_be_kept_, false) && !HasFailure()) kept = std::move(programs_);
  programs_.reset();
}

void Capture::drain() {
  const auto keep_in = [](std::vector<std::string>& records) {
    return [&records](std::span<const std::byte> record) {
      records.emplace_back(reinterpret_cast<const char*>(record.data()), record.size());
    };
  };
  while (events_->consume(4096, keep_in(records_)) > 0) {
  }
  while (control_->consume(4096, keep_in(control_records_)) > 0) {
  }
}

std::uint64_t Capture::count(exa_kernel_counter row) {
  const auto values = counters_->read();
  EXPECT_TRUE(values.has_value());
  return values ? (*values)[row] : 0;
}

std::vector<Chunk> Capture::chunks(std::uint64_t cookie, std::optional<exa_direction> direction) {
  drain();
  std::vector<Chunk> found;
  for (const std::string& record : records_) {
    if (load<exa_event_header>(record).type != EXA_EVENT_CHUNK) continue;
    const auto event = load<exa_chunk_event>(record);
    if (event.header.socket_id != cookie) continue;
    if (direction && event.direction != *direction) continue;
    EXPECT_EQ(event.header.size_bytes, record.size());
    EXPECT_EQ(record.size() % 8, 0u);
    EXPECT_LE(sizeof(event) + event.captured_bytes, record.size());
    EXPECT_EQ(event.header.tgid, static_cast<std::uint32_t>(::getpid()));
    found.push_back({event, record.substr(sizeof(event), event.captured_bytes)});
    EXPECT_THAT(record.substr(sizeof(event) + event.captured_bytes), testing::Each('\0'));
  }
  return found;
}

bool Capture::eventually(const std::function<bool()>& condition, std::chrono::seconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

Connection::Connection(int family) {
  sockaddr_storage address{};
  socklen_t size;
  if (family == AF_INET6) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    size = sizeof(v6);
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    size = sizeof(v4);
  }
  const auto to_generic = [](sockaddr_storage& storage) {
    return reinterpret_cast<sockaddr*>(&storage);
  };
  const UniqueFd listener(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::bind(listener.get(), to_generic(address), size), 0);
  EXPECT_EQ(::listen(listener.get(), 8), 0);
  EXPECT_EQ(::getsockname(listener.get(), to_generic(address), &size), 0);
  client.reset(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(client.get(), to_generic(address), size), 0);
  server.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_TRUE(server.valid());
  server_port = ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
  EXPECT_EQ(::getsockname(client.get(), to_generic(address), &size), 0);
  client_port = ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
  client_cookie = cookie_of(client.get());
  server_cookie = cookie_of(server.get());
}

Child::Child(const std::vector<std::function<void()>>& steps, pid_t number) {
  int told[2], done[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, told), 0);
  EXPECT_EQ(::pipe2(done, O_CLOEXEC), 0);
  clone_args how{};
  how.exit_signal = SIGCHLD;
  if (number != 0) {
    how.set_tid = reinterpret_cast<std::uint64_t>(&number);
    how.set_tid_size = 1;
  }
  pid_ = static_cast<pid_t>(::syscall(SYS_clone3, &how, sizeof(how)));
  if (pid_ == 0) {
    char word = 0;
    ::close(told[1]);
    ::close(done[0]);
    for (const auto& step : steps) {
      if (::read(told[0], &word, 1) != 1 || word == 0) ::_exit(0);
      step();
      if (::write(done[1], &word, 1) != 1) ::_exit(1);
    }
    (void)!::read(told[0], &word, 1);
    ::_exit(0);
  }
  ::close(told[0]);
  ::close(done[1]);
  told_.reset(told[1]);
  done_.reset(done[0]);
}

void Child::step() {
  char word = 1;
  ASSERT_EQ(::write(told_.get(), &word, 1), 1);
  (void)!::read(done_.get(), &word, 1);
}

void Child::end() {
  // Not by closing: children that came later hold copies of this end.
  const char last = 0;
  if (told_.valid()) (void)!::send(told_.get(), &last, 1, MSG_NOSIGNAL);
  told_.reset();
  if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

std::uint64_t cookie_of(int fd) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  EXPECT_EQ(::getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size), 0);
  return cookie;
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::write(fd, bytes.data(), bytes.size());
    ASSERT_GT(sent, 0) << std::strerror(errno);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string receive(int fd, std::size_t size_bytes) {
  std::string bytes(size_bytes, '\0');
  std::size_t got = 0;
  while (got < size_bytes) {
    const ssize_t size = ::read(fd, bytes.data() + got, size_bytes - got);
    if (size <= 0) break;
    got += static_cast<std::size_t>(size);
  }
  bytes.resize(got);
  return bytes;
}

std::uint64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace exa::test
