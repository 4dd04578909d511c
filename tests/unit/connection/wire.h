// One socket as the kernel side would tell of it: keeps positions and times, and hands the tracker
// the events. Each call is one I/O call, one millisecond after the one before.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/connection/tracker.h"

namespace exa::testing {

class CollectingSink : public ExchangeSink {
 public:
  void on_exchange(const Exchange& exchange) override { exchanges.push_back(exchange); }
  std::vector<Exchange> exchanges;
};

constexpr MonotonicTime ms(std::uint64_t milliseconds) {
  return {milliseconds * 1'000'000};
}

class Wire {
 public:
  explicit Wire(ConnectionTracker& tracker, SocketId socket = 7, std::uint32_t process = 42)
      : tracker_(tracker), id_(socket), process_(process) {}

  // What follows is the plaintext of a TLS stream.
  void is_tls() { tls_ = true; }

  // The thread that makes the calls that follow.
  void is_moved_by(std::uint32_t tid) { tid_ = tid; }
  // The facts of the last call that moved bytes unseen.
  void tells_last_call(Direction direction) {
    const auto last = state_[static_cast<std::size_t>(direction)].last_byte;
    tracker_.on_event(LastCallEvent{
        .socket = id_, .time = tick(), .direction = direction, .call = facts_at(last)});
  }

  // The process reads or writes; all of the text is captured, or its first `captured` bytes.
  void reads(std::string_view text, std::size_t captured = SIZE_MAX) {
    chunk(Direction::kIngress, text, captured);
  }
  void writes(std::string_view text, std::size_t captured = SIZE_MAX) {
    chunk(Direction::kEgress, text, captured);
  }
  // A chunk of which nothing was captured, but its last bytes were seen.
  void writes_last(std::size_t bytes) { last(Direction::kEgress, bytes); }
  void reads_last(std::size_t bytes) { last(Direction::kIngress, bytes); }
  // Bytes that move without an event.
  void reads_unseen(std::uint64_t bytes) { move(Direction::kIngress, bytes); }
  void writes_unseen(std::uint64_t bytes) { move(Direction::kEgress, bytes); }

  // Of which the records do not tell before the next one of that direction.
  void writes_untold(std::uint64_t bytes) { untold_ += bytes; }

  void socket() {
    IpEndpoint local;
    local.address = {127, 0, 0, 1};
    local.port = 8080;
    IpEndpoint remote;
    remote.address = {10, 0, 0, 9};
    remote.port = 40'000;
    tracker_.on_event(SocketEvent{
        .socket = id_, .time = tick(), .tgid = process_, .local = local, .remote = remote});
  }
  void chunk(Direction direction, std::string_view text, std::size_t captured = SIZE_MAX) {
    const auto d = static_cast<std::size_t>(direction);
    const bool other_moved = direction == Direction::kIngress && untold_ > 0;
    if (direction == Direction::kEgress) state_[d].position += std::exchange(untold_, 0);
    const auto time = tick();
    // Exactly as large as what was captured, so that a sanitizer sees a read beyond it.
    const std::vector<char> copy(
        text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(captured, text.size())));
    const ChunkEvent event{.socket = id_,
                           .time = time,
                           .tgid = process_,
                           .direction = direction,
                           .position = state_[d].position,
                           .length_bytes = static_cast<std::uint32_t>(text.size()),
                           .bytes = std::as_bytes(std::span(copy)),
                           .previous_last_byte = state_[d].last_byte,
                           .other = state_[1 - d],
                           .other_moved = other_moved,
                           .arrival = direction == Direction::kIngress
                                          ? MonotonicTime{time.ns - 300'000}
                                          : MonotonicTime{},
                           .tcp_sequence = 1'000 + static_cast<std::uint32_t>(state_[d].position),
                           .tls = tls_,
                           .ends_chunks = ends_chunks_,
                           .call = facts_at(time)};
    state_[d] = {state_[d].position + text.size(), time};
    tracker_.on_event(event);
  }
  void position() {
    tracker_.on_event(PositionEvent{.socket = id_, .time = tick(), .direction = state_});
  }
  struct Ended {
    bool ingress = false;
    bool egress = false;
    bool final = false;
    std::uint16_t error = 0;
    std::array<bool, 2> open{};
  };
  void end(Ended ended) {
    tracker_.on_event(EndEvent{.socket = id_,
                               .time = tick(),
                               .direction = state_,
                               .ingress_ended = ended.ingress,
                               .egress_ended = ended.egress,
                               .final = ended.final,
                               .socket_error = ended.error,
                               .open = ended.open});
  }
  void peer_closes() { end({.ingress = true}); }
  void we_close() { end({.egress = true}); }
  void is_over(std::uint16_t error = 0) { end({.final = true, .error = error}); }

  void process_exits() { tracker_.on_event(ProcessExitEvent{.time = tick(), .tgid = process_}); }

  MonotonicTime tick() { return now_ = now_ + std::chrono::milliseconds(1); }
  [[nodiscard]] MonotonicTime now() const { return now_; }

 private:
  void move(Direction direction, std::uint64_t bytes) {
    auto& state = state_[static_cast<std::size_t>(direction)];
    state = {state.position + bytes, tick()};
  }

  // Of a thread that runs for 0.1 ms in each and sleeps the rest.
  [[nodiscard]] CallFacts facts_at(MonotonicTime time) const {
    if (tid_ == 0) return {};
    return {.time = time,
            .on_cpu = Duration(static_cast<std::int64_t>(time.ns / 10)),
            .exec_start_ns = time.ns,
            .thread = tid_,
            .voluntary_switches = static_cast<std::uint32_t>(time.ns / 1'000'000),
            .waits_itself = true};
  }

  void last(Direction direction, std::size_t bytes) {
    ends_chunks_ = true;
    chunk(direction, std::string(bytes, 'x'), 0);
    ends_chunks_ = false;
  }

  std::uint64_t untold_ = 0;
  bool tls_ = false;
  bool ends_chunks_ = false;
  ConnectionTracker& tracker_;
  SocketId id_;
  std::uint32_t process_;
  std::uint32_t tid_ = 0;  // nothing is told of whoever moves the bytes
  std::array<DirectionState, 2> state_{};
  MonotonicTime now_ = ms(1'000);
};

}  // namespace exa::testing
