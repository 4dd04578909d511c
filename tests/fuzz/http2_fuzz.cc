// HTTP/2 of hostile peers on one connection, walked along as the kernel does, and records as a
// hostile kernel side might write them. The tracker must survive and settle every request; and
// where all was understood, how the bytes are cut into calls makes no difference.
#include <algorithm>
#include <array>
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
#include "tests/support/http2_frames.h"

namespace {

using exa::http2_frames::Record;
using exa::http2_frames::Walk;

struct Seen {
  std::uint16_t status;
  exa::Method method;
  exa::Outcome outcome;
  exa::Role role;
  bool has_context;
  std::uint32_t sequence;
  exa::InlineString<101> path;
  bool operator==(const Seen&) const = default;
};

class Collect : public exa::ExchangeSink {
 public:
  void on_exchange(const exa::Exchange& exchange) override {
    seen.push_back({exchange.operation.status, exchange.operation.method, exchange.outcome,
                    exchange.role, exchange.has_context, exchange.request_sequence,
                    exchange.operation.name});
  }
  std::vector<Seen> seen;
};

// A tracker with one connection, which must be settled when it ends.
class Talk {
 public:
  void tell(std::size_t direction, const Record& record, bool head_told = false) {
    const std::vector<char> kept(record.kept.begin(), record.kept.end());
    tracker_.on_event(
        exa::ChunkEvent{.socket = 1,
                        .time = {now_ns_},
                        .tgid = 1,
                        .direction = static_cast<exa::Direction>(direction),
                        .position = record.position,
                        .length_bytes = record.length_bytes,
                        .bytes = std::as_bytes(std::span(kept)),
                        .previous_last_byte = state_[direction].last_byte,
                        .other = state_[1 - direction],
                        .arrival = {},
                        .tcp_sequence = 1 + static_cast<std::uint32_t>(record.position),
                        .flow = record.flow(),
                        .head_told = head_told});
    state_[direction] = {record.position + record.length_bytes, {now_ns_}};
  }
  void pass(std::size_t direction, std::uint64_t position) {
    state_[direction] = {position, {now_ns_}};
  }
  void tick() { now_ns_ += 1'000; }
  void end() {
    tick();
    tracker_.on_event(exa::EndEvent{.socket = 1,
                                    .time = {now_ns_},
                                    .direction = state_,
                                    .ingress_ended = false,
                                    .egress_ended = false,
                                    .final = true,
                                    .socket_error = 0});
    using exa::Counter;
    if (tracker_.size() != 0 || tracker_.open_exchanges().size() != 0) std::abort();
    if (counters_.get(Counter::kChunksConsumed) !=
        counters_.get(Counter::kChunksBelonging) + counters_.get(Counter::kChunksNotProtocol) +
            counters_.get(Counter::kChunksParseError) + counters_.get(Counter::kChunksOrphan))
      std::abort();
    if (counters_.get(Counter::kExchanges) != sink_.seen.size()) std::abort();
  }
  [[nodiscard]] bool understood() const {
    using exa::Counter;
    return counters_.get(Counter::kChunksConsumed) == counters_.get(Counter::kChunksBelonging);
  }
  [[nodiscard]] const std::vector<Seen>& seen() const { return sink_.seen; }

 private:
  Collect sink_;
  exa::Counters counters_;
  exa::ConnectionTracker tracker_{sink_,
                                  counters_,
                                  exa::protocols(),
                                  {.connections = 64,
                                   .incomplete_heads = 16,
                                   .requests = {.concurrent_per_connection = 8, .unanswered = 128},
                                   .propagators = exa::kAllPropagators}};
  std::array<exa::DirectionState, 2> state_{};
  std::uint64_t now_ns_ = 1'000'000;
};

struct Result {
  std::vector<Seen> seen;
  bool understood = false;
};

// Runs of one direction after another, separated by 0xff 0xff.
Result converse(std::string_view input, std::size_t call_bytes) {
  Talk talk;
  std::array walks{Walk(false), Walk(false)};
  bool in_step = true;
  for (std::size_t direction = 0; !input.empty(); direction = 1 - direction) {
    const auto end = input.find("\xff\xff");
    auto run = input.substr(0, end).substr(0, 20'000);
    input = end == input.npos ? std::string_view() : input.substr(end + 2);
    talk.tick();
    auto& walk = walks[direction];
    for (; !run.empty() && walk.in_step(); run.remove_prefix(std::min(call_bytes, run.size()))) {
      for (const auto& record : walk.call(run.substr(0, call_bytes)))
        talk.tell(direction, record);
      talk.pass(direction, walk.position());
    }
    in_step &= walk.in_step();
  }
  talk.end();
  return {talk.seen(), in_step && talk.understood()};
}

// Records one after the other: a direction, a flow, lengths and positions, and kept bytes.
void records(std::string_view input) {
  Talk talk;
  std::array<std::uint64_t, 2> positions{};
  constexpr std::size_t kHead = 4 + sizeof(exa_http2_flow);
  while (input.size() > kHead) {
    const auto form = static_cast<unsigned char>(input[0]);
    const auto length =
        static_cast<unsigned char>(input[1]) + 256u * static_cast<unsigned char>(input[2]);
    Record record;
    std::memcpy(&record.before, input.data() + 4, sizeof record.before);
    const std::size_t kept = static_cast<unsigned char>(input[3]);
    input.remove_prefix(kHead);
    record.kept = input.substr(0, kept);
    input.remove_prefix(record.kept.size());
    record.length_bytes = 1 + length;
    const std::size_t direction = form & 1;
    record.position = positions[direction] + (form & 2 ? 100 : 0) -
                      (form & 4 ? std::min<std::uint64_t>(50, positions[direction]) : 0);
    positions[direction] = record.position + record.length_bytes;
    talk.tick();
    talk.tell(direction, record, (form & 8) != 0);
  }
  talk.end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  records(input);
  const auto whole = converse(input, 20'000);
  const auto split = converse(input, 1 + size % 37);
  if (whole.understood && split.understood && whole.seen != split.seen) std::abort();
  return 0;
}
