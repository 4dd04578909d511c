// The capture programs, the records they wrote, and the accounting identity at the end.
// Other programs of the machine are seen too: tests look at their own sockets by cookie.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kernel/capture_programs.h"
#include "agent/kernel/kernel_counters.h"
#include "agent/kernel/ring_reader.h"
#include "exa/abi/event.h"
#include "exa/base/unique_fd.h"

namespace exa::test {

struct Chunk {
  exa_chunk_event event;
  std::string bytes;
};

class Capture : public testing::Test {
 protected:
  void SetUp() override;
  // Detaches, reads the rest, and holds the kernel to its accounts.
  void TearDown() override;

  // Loads and attaches with these settings instead of the default ones.
  void start(const kernel::CaptureConfig& config) {
    start(config, kernel::probe_kernel_features());
  }
  void start(const kernel::CaptureConfig& config, const kernel::KernelFeatures& features);
  void load(const kernel::CaptureConfig& config, const kernel::KernelFeatures& features);
  void observe();
  void stop();
  // A thread of this process waits in the kernel.
  [[nodiscard]] static bool sleeps(pid_t thread);
  void release();
  void drain();
  [[nodiscard]] std::uint64_t count(exa_kernel_counter row);

  std::vector<Chunk> chunks(std::uint64_t cookie, std::optional<exa_direction> direction = {});
  template <typename Event>
  std::vector<Event> records(std::uint8_t type, std::uint64_t cookie) {
    drain();
    std::vector<Event> found;
    for (const std::string& record : records_) {
      const auto header = load<exa_event_header>(record);
      if (header.type == type && header.socket_id == cookie) found.push_back(load<Event>(record));
    }
    return found;
  }
  template <typename Event>
  static Event load(std::string_view record) {
    Event event{};
    EXPECT_GE(record.size(), sizeof(Event));
    std::memcpy(&event, record.data(), std::min(record.size(), sizeof(Event)));
    return event;
  }
  // Until the condition holds; false at the deadline.
  static bool eventually(const std::function<bool()>& condition,
                         std::chrono::seconds within = std::chrono::seconds(5));

  bool running_ = false;
  bool to_be_kept_ = false;  // programs_, for the next test
  std::optional<kernel::CapturePrograms> programs_;
  std::optional<kernel::RingReader> events_;
  std::optional<kernel::RingReader> control_;
  std::optional<kernel::KernelCounters> counters_;
  std::vector<std::string> records_;  // of the data ring, in order
  std::vector<std::string> control_records_;
};

// Two connected TCP sockets of this process on loopback.
struct Connection {
  explicit Connection(int family = AF_INET);
  UniqueFd client;
  UniqueFd server;
  std::uint64_t client_cookie = 0;
  std::uint64_t server_cookie = 0;
  std::uint16_t client_port = 0;
  std::uint16_t server_port = 0;
};

// A child that does its steps when it is told to. With a number: as the process of that number.
class Child {
 public:
  explicit Child(const std::vector<std::function<void()>>& steps, pid_t number = 0);
  ~Child() { end(); }
  Child(const Child&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::uint32_t tgid() const { return static_cast<std::uint32_t>(pid_); }
  // Returns once the step is done or has executed another program.
  void step();
  void end();

 private:
  pid_t pid_ = 0;
  UniqueFd told_;
  UniqueFd done_;
};

std::uint64_t cookie_of(int fd);
void send_all(int fd, std::string_view bytes);
std::string receive(int fd, std::size_t size_bytes);  // exactly so many, in as many reads as needed
std::uint64_t monotonic_ns();

inline constexpr std::string_view kRequest = "GET /checkout HTTP/1.1\r\nHost: shop\r\n\r\n";
inline constexpr std::string_view kResponse = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

}  // namespace exa::test
