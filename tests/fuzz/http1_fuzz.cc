// Conversations of hostile bytes on one socket. The tracker must survive and settle every request;
// and where all bytes were understood, how they are cut into chunks makes no difference.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

#include "agent/connection/tracker.h"
#include "agent/conversation/registry.h"
#include "agent/telemetry/counters.h"
#include "tests/support/all_propagators.h"

namespace {

struct Seen {
  std::uint16_t status;
  exa::Method method;
  exa::Outcome outcome;
  bool has_context;
  exa::InlineString<101> path;
  bool operator==(const Seen&) const = default;
};

struct Result {
  std::vector<Seen> seen;
  bool understood = false;
};

class Collect : public exa::ExchangeSink {
 public:
  void on_exchange(const exa::Exchange& exchange) override {
    seen.push_back({exchange.operation.status, exchange.operation.method, exchange.outcome,
                    exchange.has_context, exchange.operation.name});
  }
  std::vector<Seen> seen;
};

// Runs of one direction after another, separated by 0xff; at most 4 KiB each, so that no head is
// longer than the budget.
Result converse(std::string_view input, std::size_t chunk_bytes) {
  Collect sink;
  exa::Counters counters;
  exa::ConnectionTracker tracker(
      sink, counters, exa::protocols(),
      {.connections = 64, .incomplete_heads = 16, .propagators = exa::kAllPropagators});
  exa::DirectionState state[2];
  std::uint64_t now_ns = 1'000;
  std::size_t direction = 0;
  while (!input.empty()) {
    const auto end = input.find('\xff');
    auto run = input.substr(0, end).substr(0, 4'000);
    input = end == input.npos ? std::string_view() : input.substr(end + 1);
    now_ns += 1'000;
    while (!run.empty()) {
      const auto part = run.substr(0, chunk_bytes);
      const std::vector<char> copy(part.begin(), part.end());
      tracker.on_event(exa::ChunkEvent{.socket = 1,
                                       .time = {now_ns},
                                       .tgid = 1,
                                       .direction = static_cast<exa::Direction>(direction),
                                       .position = state[direction].position,
                                       .length_bytes = static_cast<std::uint32_t>(part.size()),
                                       .bytes = std::as_bytes(std::span(copy)),
                                       .previous_last_byte = state[direction].last_byte,
                                       .other = state[1 - direction],
                                       .arrival = {},
                                       .tcp_sequence = 0});
      state[direction] = {state[direction].position + part.size(), {now_ns}};
      run.remove_prefix(part.size());
    }
    direction = 1 - direction;
  }
  tracker.on_event(exa::EndEvent{.socket = 1,
                                 .time = {now_ns + 1},
                                 .direction = {state[0], state[1]},
                                 .ingress_ended = false,
                                 .egress_ended = false,
                                 .final = true,
                                 .socket_error = 0});
  if (tracker.size() != 0 || tracker.open_exchanges().size() != 0) std::abort();
  using exa::Counter;
  const bool understood =
      counters.get(Counter::kChunksConsumed) == counters.get(Counter::kChunksBelonging) &&
      counters.get(exa::ProtocolCounter::kOrphanRequest) == 0;
  return {sink.seen, understood};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  converse(input, 1 + size % 7);
  // The first bytes of a chunk are enough here to tell what begins with them.
  const auto whole = converse(input, 4'000);
  const auto split = converse(input, 26 + size % 13);
  if (whole.understood && whole.seen != split.seen) std::abort();
  return 0;
}
