#include "agent/exemplars/relatives.h"

#include <algorithm>
#include <bitset>
#include <map>
#include <memory>
#include <utility>

namespace exa {
namespace {

// The traces looked for, in the order of importance; a bit array turns nearly all records away.
class WantedTraces {
 public:
  void add(const TraceId& id) {
    if (!order_.emplace(id, order_.size()).second) return;
    bits_->set(bit(FlightRecorder::trace_hash(id)));
  }
  [[nodiscard]] bool maybe(std::uint32_t hash) const { return bits_->test(bit(hash)); }
  // Place in the order; npos if the trace is not wanted.
  static constexpr std::size_t npos = ~std::size_t{0};
  [[nodiscard]] std::size_t place(const TraceId& id) const {
    const auto found = order_.find(id);
    return found == order_.end() ? npos : found->second;
  }
  [[nodiscard]] bool empty() const { return order_.empty(); }

 private:
  static constexpr std::size_t kBits = 1 << 16;
  static std::size_t bit(std::uint32_t hash) { return hash >> 16; }
  std::unique_ptr<std::bitset<kBits>> bits_ = std::make_unique<std::bitset<kBits>>();
  std::map<TraceId, std::size_t> order_;
};

// A trace id that a client sends with every request must not take the budget of all others.
constexpr std::uint32_t kMaxRelativesOfTrace = 64;

struct Relative {
  std::size_t place;
  RecordTicket ticket;
};

}  // namespace

RelativesFinder::RelativesFinder(const RelativesOptions& options, Counters& counters)
    : counters_(counters), budget_(options.spans_per_window, options.burst_spans) {}

void RelativesFinder::add_relatives(Selection& selection, FlightRecorder& recorder) {
  budget_.refill();
  for (const auto& chosen : selection.exchanges)
    recorder.mark_exported(chosen.ticket);

  WantedTraces wanted;
  std::vector<TraceId> chosen_now;
  for (const auto& winner : selection.winners)
    chosen_now.push_back(selection.exchanges[winner.exchange].exchange.trace_id);
  for (const auto& id : chosen_now)
    wanted.add(id);
  for (const auto& id : chosen_before_)
    wanted.add(id);
  chosen_before_ = std::move(chosen_now);
  if (wanted.empty()) return;

  std::vector<Relative> relatives;
  recorder.for_each_trace_hash([&](RecordTicket ticket, std::uint32_t hash) {
    if (!wanted.maybe(hash)) return;
    const auto exchange = recorder.find(ticket);
    if (!exchange) return;
    const auto place = wanted.place(exchange->trace_id);
    if (place != WantedTraces::npos) relatives.push_back({place, ticket});
  });
  // Whole traces of the most important winners rather than a part of each.
  std::ranges::stable_sort(relatives, {}, &Relative::place);
  std::size_t place = WantedTraces::npos;
  std::uint32_t of_trace = 0;
  for (const auto& relative : relatives) {
    of_trace = relative.place == place ? of_trace + 1 : 1;
    place = relative.place;
    if (of_trace > kMaxRelativesOfTrace || !budget_.take()) {
      counters_.add(Counter::kRelativesOverBudget);
      continue;
    }
    if (const auto exchange = recorder.find(relative.ticket)) {
      selection.exchanges.push_back({.exchange = *exchange, .ticket = relative.ticket});
      recorder.mark_exported(relative.ticket);
    }
  }
}

}  // namespace exa
