#include "agent/capture/event_decoder.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>

#include "exa/abi/event.h"

namespace exa {
namespace {

using Decoded = std::expected<Event, DecodeError>;
using Record = std::span<const std::byte>;

// Any difference of two is a duration.
constexpr std::uint64_t kMostNanoseconds = std::numeric_limits<std::int64_t>::max() / 2;

// Of a frame's header, in the records before the one that has all of it.
constexpr std::uint64_t kMostOfHeaderBefore = sizeof(exa_frames_event::before.header) - 1;

// The caller has checked the length.
template <typename T>
T load(Record record) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, record.data(), sizeof value);
  return value;
}

DirectionState state_of(const exa_direction_state& state) {
  return {state.position, {state.last_byte_ns}};
}

template <std::size_t Capacity, std::size_t Size>
InlineString<Capacity> text_of(const __u8 (&bytes)[Size]) {
  char text[Size];
  std::memcpy(text, bytes, Size);
  return InlineString<Capacity>({text, ::strnlen(text, Size)});
}

IpEndpoint endpoint_of(const __u8 (&address)[16], std::uint16_t port, bool is_ipv6) {
  IpEndpoint endpoint;
  std::copy_n(address, is_ipv6 ? 16 : 4, endpoint.address.begin());
  endpoint.port = port;
  endpoint.is_ipv6 = is_ipv6;
  return endpoint;
}

Decoded decode_socket(Record record) {
  const auto raw = load<exa_socket_event>(record);
  if (raw.family != AF_INET && raw.family != AF_INET6)
    return std::unexpected(DecodeError::kBadField);
  const bool is_ipv6 = raw.family == AF_INET6;
  return SocketEvent{.socket = raw.header.socket_id,
                     .time = {raw.header.ktime_ns},
                     .tgid = raw.header.tgid,
                     .local = endpoint_of(raw.local_address, raw.local_port, is_ipv6),
                     .remote = endpoint_of(raw.remote_address, raw.remote_port, is_ipv6),
                     .connection_number = raw.connection_number,
                     .first_sequence = raw.first_sequence};
}

CallFacts call_of(const exa_call_facts& facts, MonotonicTime time, std::uint32_t cpu) {
  const auto known = facts.thread.known;
  const auto duration = [](std::uint64_t ns) {
    return Duration(static_cast<std::int64_t>(std::min<std::uint64_t>(ns, kMostNanoseconds)));
  };
  if ((known & EXA_FACTS_THREAD) == 0) return {};
  return {.time = time,
          .cpu_wait = duration(facts.thread.cpu_wait_ns),
          .on_cpu = duration(facts.thread.on_cpu_ns),
          .throttled = duration(facts.thread.throttled_ns),
          .exec_start_ns = facts.thread.exec_start_ns,
          .cpu = cpu,
          .thread = facts.thread.thread,
          .throttled_times = facts.thread.throttled,
          .voluntary_switches = facts.thread.voluntary_switches,
          .minor_faults = facts.thread.minor_faults,
          .major_faults = facts.thread.major_faults,
          .retransmits = facts.socket.retransmits,
          .out_of_order = facts.socket.out_of_order,
          .receiver_limited_ms = facts.socket.receiver_limited_ms,
          .connect_us = facts.socket.connect_us,
          .group = facts.thread.group,
          .cpu_wait_known = (known & EXA_FACTS_CPU_WAIT) != 0,
          .throttle_known = (known & EXA_FACTS_THROTTLE) != 0,
          .socket_known = (known & EXA_FACTS_SOCKET) != 0,
          .waits_itself = (known & (EXA_FACTS_MAY_SLEEP | EXA_FACTS_POLLED)) == EXA_FACTS_MAY_SLEEP,
          .sleeps_told = (known & EXA_FACTS_SLEEPS) != 0};
}

// payload begins with the captured bytes, of which there are at most so many.
std::optional<DecodeError> fault_of_chunk(const exa_chunk_event& raw, Record payload,
                                          std::uint64_t most_captured) {
  if (raw.direction > EXA_EGRESS) return DecodeError::kBadField;
  if (raw.length_bytes == 0 || raw.captured_bytes > most_captured ||
      raw.captured_bytes > EXA_MAX_CAPTURE_BYTES || raw.captured_bytes > payload.size() ||
      raw.position > std::numeric_limits<std::uint64_t>::max() - raw.length_bytes)
    return DecodeError::kBadLength;
  return std::nullopt;
}

// Becomes the event where the caller takes it: most records are chunks, and they are large.
struct ChunkOf {
  const exa_chunk_event& raw;
  Record payload;
  Record flow;
  std::uint64_t goroutine = 0;

  explicit operator ChunkEvent() const {
    const bool ingress = raw.direction == EXA_INGRESS;
    return {.socket = raw.header.socket_id,
            .time = {raw.header.ktime_ns},
            .tgid = raw.header.tgid,
            .direction = static_cast<Direction>(raw.direction),
            .position = raw.position,
            .length_bytes = raw.length_bytes,
            .bytes = payload.first(raw.captured_bytes),
            .previous_last_byte = {raw.previous_last_byte_ns},
            .other = state_of(raw.other),
            .other_moved = raw.other_moved != 0,
            .arrival = {ingress ? raw.arrival_ns : 0},
            .first_byte = {ingress ? 0 : raw.arrival_ns},
            .tcp_sequence = raw.tcp_sequence,
            .tls = (raw.flags & EXA_CHUNK_TLS) != 0,
            .ports_proven = (raw.flags & EXA_CHUNK_PORTS_PROVEN) != 0,
            .ends_chunks = (raw.flags & EXA_CHUNK_ENDS) != 0,
            .flow = flow,
            .goroutine = goroutine,
            .head_told = (raw.flags & EXA_CHUNK_HEAD_TOLD) != 0,
            .call = call_of(raw.facts, {raw.header.ktime_ns}, raw.header.cpu)};
  }
};

Decoded decode_chunk(const ChunkOf& chunk, std::uint64_t most_captured) {
  if (const auto fault = fault_of_chunk(chunk.raw, chunk.payload, most_captured))
    return std::unexpected(*fault);
  return Decoded(std::in_place, std::in_place_type<ChunkEvent>, chunk);
}

Decoded decode_plain_chunk(Record record) {
  const auto raw = load<exa_chunk_event>(record);
  return decode_chunk({.raw = raw, .payload = record.subspan(sizeof raw), .flow = {}},
                      raw.length_bytes);
}

// What the flow says is for its protocol to judge. A record that begins within a frame's header has
// all of it.
Decoded decode_frames(Record record) {
  const auto raw = load<exa_frames_event>(record);
  return decode_chunk(
      {.raw = raw.chunk,
       .payload = record.subspan(sizeof raw),
       .flow = record.subspan(offsetof(exa_frames_event, before), sizeof raw.before),
       .goroutine = raw.goroutine},
      std::uint64_t{raw.chunk.length_bytes} + kMostOfHeaderBefore);
}

Decoded decode_last_call(Record record) {
  const auto raw = load<exa_last_call_event>(record);
  if (raw.direction > EXA_EGRESS) return std::unexpected(DecodeError::kBadField);
  return LastCallEvent{.socket = raw.header.socket_id,
                       .time = {raw.header.ktime_ns},
                       .direction = static_cast<Direction>(raw.direction),
                       .call = call_of(raw.facts, {raw.last_byte_ns}, raw.cpu)};
}

static_assert(kThreadDoings == EXA_DOINGS &&
              static_cast<int>(ThreadDoing::kEvents) == EXA_DOING_EVENTS &&
              static_cast<int>(ThreadDoing::kEpoll) == EXA_DOING_EPOLL);
Decoded decode_look(Record record) {
  const auto raw = load<exa_look_event>(record);
  if (raw.doing >= EXA_DOINGS) return std::unexpected(DecodeError::kBadField);
  return LookEvent{.time = {raw.header.ktime_ns},
                   .thread = raw.thread,
                   .doing = static_cast<ThreadDoing>(raw.doing)};
}

Decoded decode_answer(Record record) {
  const auto raw = load<exa_answer_event>(record);
  return AnswerEvent{.kind = raw.header.type == EXA_EVENT_DELIVERED
                                 ? AnswerEvent::Kind::kAcknowledged
                                 : AnswerEvent::Kind::kSentAgain,
                     .socket = raw.header.socket_id,
                     .time = {raw.header.ktime_ns},
                     .last_byte = {raw.last_byte_ns}};
}

static_assert(kSleepCauses == EXA_SLEEP_CAUSES);
Decoded decode_sleeps(Record record) {
  const auto raw = load<exa_sleeps_event>(record);
  if (raw.thread == 0 || raw.from_ns > raw.header.ktime_ns)
    return std::unexpected(DecodeError::kBadField);
  SleepsEvent sleeps{
      .time = {raw.header.ktime_ns}, .from = {raw.from_ns}, .thread = raw.thread, .asleep_us = {}};
  std::ranges::copy(raw.asleep_us, sleeps.asleep_us.begin());
  return sleeps;
}

Decoded decode_position(Record record) {
  const auto raw = load<exa_position_event>(record);
  return PositionEvent{.socket = raw.header.socket_id,
                       .time = {raw.header.ktime_ns},
                       .direction = {state_of(raw.direction[0]), state_of(raw.direction[1])}};
}

Decoded decode_end(Record record) {
  const auto raw = load<exa_end_event>(record);
  return EndEvent{
      .socket = raw.header.socket_id,
      .time = {raw.header.ktime_ns},
      .direction = {state_of(raw.direction[0]), state_of(raw.direction[1])},
      .ingress_ended = (raw.flags & EXA_END_INGRESS) != 0,
      .egress_ended = (raw.flags & EXA_END_EGRESS) != 0,
      .final = (raw.flags & EXA_END_FINAL) != 0,
      .socket_error =
          static_cast<std::uint16_t>(std::min<std::uint32_t>(raw.socket_error, UINT16_MAX)),
      .open = {(raw.flags & EXA_END_OPEN_INGRESS) != 0, (raw.flags & EXA_END_OPEN_EGRESS) != 0},
      .missed = {(raw.flags & EXA_END_MISSED_INGRESS) != 0,
                 (raw.flags & EXA_END_MISSED_EGRESS) != 0}};
}

Decoded decode_process(Record record) {
  const auto raw = load<exa_process_event>(record);
  return ProcessEvent{.time = {raw.header.ktime_ns},
                      .process = {raw.header.tgid, raw.start_time_ns},
                      .parent_tgid = raw.parent_tgid,
                      .uid = raw.uid,
                      .cgroup_id = raw.cgroup_id,
                      .comm = text_of<16>(raw.comm),
                      .exe_name = text_of<64>(raw.exe_name),
                      .forked = (raw.header.flags & EXA_PROCESS_FORKED) != 0};
}

// Lengths and text belong together, or it is no table.
Decoded decode_table(Record record) {
  const auto raw = load<exa_table_event>(record);
  if (raw.entries > EXA_TABLE_ENTRIES || raw.text_bytes > record.size() - sizeof raw)
    return std::unexpected(DecodeError::kBadLength);
  std::size_t text_bytes = 0;
  for (const auto& entry : std::span(raw.entry).first(raw.entries))
    text_bytes += std::size_t{entry.name_bytes} + entry.value_bytes;
  if (text_bytes != raw.text_bytes) return std::unexpected(DecodeError::kBadLength);
  const auto text = record.subspan(sizeof raw, raw.text_bytes);
  return TableEvent{.time = {raw.header.ktime_ns},
                    .tgid = raw.header.tgid,
                    .object = raw.object,
                    .goroutine = raw.goroutine,
                    .encoder = raw.encoder != 0,
                    .lengths = record.subspan(offsetof(exa_table_event, entry),
                                              raw.entries * sizeof(exa_table_entry)),
                    .text = {reinterpret_cast<const char*>(text.data()), text.size()}};
}

Decoded decode_process_exit(Record record) {
  const auto raw = load<exa_event_header>(record);
  return ProcessExitEvent{.time = {raw.ktime_ns}, .tgid = raw.tgid};
}

}  // namespace

std::vector<TableEvent::Entry> TableEvent::entries() const {
  std::vector<Entry> all;
  auto rest = text;
  for (auto left = lengths; left.size() >= sizeof(exa_table_entry);
       left = left.subspan(sizeof(exa_table_entry))) {
    const auto of = load<exa_table_entry>(left);
    if (std::size_t{of.name_bytes} + of.value_bytes > rest.size()) break;
    all.push_back({rest.substr(0, of.name_bytes), rest.substr(of.name_bytes, of.value_bytes)});
    rest.remove_prefix(std::size_t{of.name_bytes} + of.value_bytes);
  }
  return all;
}

std::expected<Event, DecodeError> decode_event(std::span<const std::byte> record) {
  if (record.size() < sizeof(exa_event_header)) return std::unexpected(DecodeError::kTruncated);
  const auto header = load<exa_event_header>(record);
  if (header.size_bytes > record.size()) return std::unexpected(DecodeError::kTruncated);
  record = record.first(header.size_bytes);

  const auto decode_if = [record](std::size_t least_bytes, auto decode) -> Decoded {
    if (record.size() < least_bytes) return std::unexpected(DecodeError::kTruncated);
    return decode(record);
  };
  switch (header.type) {
    case EXA_EVENT_CHUNK:
      return decode_if(sizeof(exa_chunk_event), decode_plain_chunk);
    case EXA_EVENT_FRAMES:
      return decode_if(sizeof(exa_frames_event), decode_frames);
    case EXA_EVENT_TABLE:
      return decode_if(sizeof(exa_table_event), decode_table);
    case EXA_EVENT_SOCKET:
      return decode_if(sizeof(exa_socket_event), decode_socket);
    case EXA_EVENT_LAST_CALL:
      return decode_if(sizeof(exa_last_call_event), decode_last_call);
    case EXA_EVENT_LOOK:
      return decode_if(sizeof(exa_look_event), decode_look);
    case EXA_EVENT_RESEND:
    case EXA_EVENT_DELIVERED:
      return decode_if(sizeof(exa_answer_event), decode_answer);
    case EXA_EVENT_SLEEPS:
      return decode_if(sizeof(exa_sleeps_event), decode_sleeps);
    case EXA_EVENT_POSITION:
      return decode_if(sizeof(exa_position_event), decode_position);
    case EXA_EVENT_END:
      return decode_if(sizeof(exa_end_event), decode_end);
    case EXA_EVENT_PROCESS:
      return decode_if(sizeof(exa_process_event), decode_process);
    case EXA_EVENT_PROCESS_EXIT:
      return decode_if(sizeof(exa_event_header), decode_process_exit);
    default:
      return std::unexpected(DecodeError::kUnknownType);
  }
}

}  // namespace exa
