// What the agent knows of one ring record once it is decoded: typed, checked, independent of the
// kernel's layout. The bytes of a chunk are borrowed from the ring for the duration of the call.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/why/call_facts.h"
#include "agent/why/thread_doing.h"
#include "exa/base/inline_string.h"
#include "exa/base/time.h"
#include "exa/model/address.h"
#include "exa/model/exchange.h"
#include "exa/model/target.h"

namespace exa {

enum class Direction : std::uint8_t { kIngress = 0, kEgress = 1 };
constexpr Direction opposite(Direction d) {
  return d == Direction::kIngress ? Direction::kEgress : Direction::kIngress;
}

struct DirectionState {
  std::uint64_t position = 0;  // bytes so far
  MonotonicTime last_byte;
};

struct SocketEvent {
  SocketId socket;
  MonotonicTime time;
  std::uint32_t tgid;
  IpEndpoint local;
  IpEndpoint remote;
  std::uint32_t connection_number = 0;  // see Connection
  std::uint32_t first_sequence = 0;     // TLS: of the first chunk, which came before its socket
};

// Framed: of a protocol whose frames the programs follow. Then bytes are those that the programs
// kept, which need not lie at their positions, and what was left out told of no message.
struct ChunkEvent {
  SocketId socket;
  MonotonicTime time;  // when the I/O call returned
  std::uint32_t tgid;
  Direction direction;
  std::uint64_t position;            // of the first byte, in its direction
  std::uint32_t length_bytes;        // true length
  std::span<const std::byte> bytes;  // the captured first part, bytes.size() <= length_bytes
  MonotonicTime previous_last_byte;  // this direction before this chunk
  DirectionState other;              // the other direction as this chunk found it
  bool other_moved = false;          // since the chunk before, whether or not that was told
  MonotonicTime arrival;             // ingress: reached the socket's queue; unknown otherwise
  MonotonicTime first_byte{};        // egress: left so much before time; unknown otherwise
  std::uint32_t tcp_sequence;        // of the first byte
  bool tls = false;                  // plaintext from a TLS library
  bool ports_proven = false;         // whichever its socket is, it is on an observed port
  bool ends_chunks = false;          // its last bytes, captured or not, end a chunked body
  // Framed: where the direction stood before the first byte, as its protocol's programs tell it.
  std::span<const std::byte> flow{};
  std::uint64_t goroutine = 0;  // framed: that moved the bytes; of no program of Go any number
  bool head_told = false;       // framed: begins with a head that is the end of the chunk before it
  CallFacts call{};             // that moved the bytes

  [[nodiscard]] bool framed() const { return !flow.empty(); }
};

// The dynamic table (RFC 7541) that an encoder or a decoder of the process has at that time.
struct TableEvent {
  MonotonicTime time;
  std::uint32_t tgid;
  std::uint64_t object;     // which one
  std::uint64_t goroutine;  // that calls it
  bool encoder;
  // Of each entry, the newest first, how long its name and its value are; and their texts, without
  // a break. They belong together.
  std::span<const std::byte> lengths;
  std::string_view text;

  struct Entry {
    std::string_view name;
    std::string_view value;
  };
  // At most 128.
  [[nodiscard]] std::vector<Entry> entries() const;
};

// The call by which a direction has come as far as the next event will say.
struct LastCallEvent {
  SocketId socket;
  MonotonicTime time;
  Direction direction;
  CallFacts call;
};

// What a thread does at that time.
struct LookEvent {
  MonotonicTime time;
  std::uint32_t thread;  // its number, as in CallFacts
  ThreadDoing doing;
};

// What became of a server's answer, or of what was written of it until then.
struct AnswerEvent {
  enum class Kind : std::uint8_t {
    kSentAgain,     // a part of it, which did not arrive
    kAcknowledged,  // to its last byte, and late
  };
  Kind kind;
  SocketId socket;
  MonotonicTime time;
  MonotonicTime last_byte;  // that was written
};

// What a thread slept on, of threads whose sleeps are followed.
struct SleepsEvent {
  MonotonicTime time;    // when the last of the sleeps was over
  MonotonicTime from;    // none began before
  std::uint32_t thread;  // its number, as in CallFacts
  SleepTimes asleep_us;
};

struct PositionEvent {
  SocketId socket;
  MonotonicTime time;
  std::array<DirectionState, 2> direction;  // by Direction
};

struct EndEvent {
  SocketId socket;
  MonotonicTime time;
  std::array<DirectionState, 2> direction;
  bool ingress_ended;
  bool egress_ended;
  bool final;  // the socket is closed: both ended
  std::uint16_t socket_error;
  // By Direction: its last bytes were seen, and they end no chunked body.
  std::array<bool, 2> open{};
  // By Direction: frames went by since its last record that nobody saw.
  std::array<bool, 2> missed{};
};

struct ProcessEvent {
  MonotonicTime time;
  ProcessIdentity process;
  std::uint32_t parent_tgid;
  std::uint32_t uid;
  std::uint64_t cgroup_id;
  InlineString<16> comm;
  InlineString<64> exe_name;
  bool forked = false;  // and has executed no program since
};

struct ProcessExitEvent {
  MonotonicTime time;
  std::uint32_t tgid;
};

using Event =
    std::variant<SocketEvent, ChunkEvent, PositionEvent, EndEvent, ProcessEvent, ProcessExitEvent,
                 TableEvent, LastCallEvent, LookEvent, AnswerEvent, SleepsEvent>;

}  // namespace exa
