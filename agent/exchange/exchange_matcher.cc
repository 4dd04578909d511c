#include "agent/exchange/exchange_matcher.h"

#include <algorithm>

namespace exa {

ExchangeMatcher::ExchangeMatcher(ExchangeSink& sink, Counters& counters, MatcherLimits limits)
    : sink_(sink), counters_(counters), limits_(limits), pool_(limits.unanswered) {}

std::uint32_t ExchangeMatcher::take_place(RequestQueue& queue) {
  auto* const process = queue.process;
  const bool room = queue.passed_over == 0 && queue.size < limits_.unanswered_per_connection;
  const auto free = limits_.unanswered - pool_.in_use();
  if (room && free > 0 && process != nullptr && !process->may_take(Place::kRequest, free)) {
    process->lose(Place::kRequest);
    counters_.add(Counter::kRequestsOverShare);
    return kNoSlot;
  }
  const auto slot = room ? pool_.acquire() : kNoSlot;
  if (slot == kNoSlot)
    counters_.add(Counter::kRequestsUnansweredOverflow);
  else if (process != nullptr)
    process->take(Place::kRequest);
  return slot;
}

void ExchangeMatcher::on_request(RequestQueue& queue, const RequestOrigin& origin,
                                 const http1::RequestHead& head, std::uint64_t head_bytes) {
  const auto slot = take_place(queue);
  if (slot == kNoSlot) {
    ++queue.passed_over;
    queue.passed_over_bodiless |= head.method == Method::kHead || head.method == Method::kConnect;
    return;
  }

  auto& unanswered = pool_[slot];
  unanswered.next = kNoSlot;
  auto& exchange = unanswered.exchange;
  exchange = {};
  exchange.socket = origin.socket;
  exchange.tgid = origin.tgid;
  exchange.local = origin.local;
  exchange.remote = origin.remote;
  exchange.role = origin.role;
  exchange.protocol = head.version;
  exchange.method = head.method;
  exchange.tls = origin.tls;
  exchange.request_sequence = origin.tcp_sequence;
  if (origin.role == Role::kServer && origin.arrival <= origin.first_byte)
    exchange.arrival = origin.arrival;
  exchange.read = origin.first_byte;
  exchange.request_bytes = head_bytes;
  exchange.path.assign(head.path);
  exchange.host.assign(head.host);
  if (const auto context = head.context.context()) {
    counters_.add(Counter::kContextAccepted);
    exchange.has_context = true;
    exchange.trace_id = context->trace_id;
    exchange.parent_span_id = context->parent;
    exchange.trace_flags = context->flags;
    if (const auto randomness = head.context.randomness()) {
      exchange.has_incoming_rv = true;
      exchange.randomness = *randomness;
    }
  } else if (head.context.state() == ContextState::kInvalid) {
    counters_.add(Counter::kContextInvalid);
  }

  if (queue.size == 0) {
    queue.front = slot;
  } else {
    pool_[queue.back].next = slot;
  }
  queue.back = slot;
  ++queue.size;
}

void ExchangeMatcher::learn_endpoints(RequestQueue& queue, const IpEndpoint& local,
                                      const IpEndpoint& remote, std::uint32_t first_sequence) {
  auto slot = queue.front;
  for (std::uint32_t i = 0; i < queue.size; ++i) {
    auto& unanswered = pool_[slot];
    unanswered.exchange.local = local;
    unanswered.exchange.remote = remote;
    if (i == 0 && unanswered.exchange.request_sequence == 0)
      unanswered.exchange.request_sequence = first_sequence;
    slot = unanswered.next;
  }
}

void ExchangeMatcher::add_request_bytes(RequestQueue& queue, std::uint64_t bytes) {
  if (queue.size == 0 || queue.passed_over > 0) return;
  pool_[queue.back].exchange.request_bytes += bytes;
}

Method ExchangeMatcher::awaited_method(const RequestQueue& queue) const {
  return queue.size == 0 ? Method::kOther : pool_[queue.front].exchange.method;
}

void ExchangeMatcher::on_response_head(RequestQueue& queue, const http1::ResponseHead& head,
                                       MonotonicTime first_byte, MonotonicTime last_byte,
                                       std::uint64_t head_bytes) {
  if (queue.size == 0) return;
  auto& exchange = pool_[queue.front].exchange;
  exchange.status = head.status;
  exchange.first_response = first_byte;
  exchange.last_response = last_byte;
  exchange.response_bytes = head_bytes;
}

void ExchangeMatcher::add_response_bytes(RequestQueue& queue, std::uint64_t bytes,
                                         MonotonicTime last_byte) {
  if (queue.size == 0) return;
  auto& exchange = pool_[queue.front].exchange;
  exchange.response_bytes += bytes;
  exchange.last_response = last_byte;
}

void ExchangeMatcher::finish(RequestQueue& queue, Outcome outcome, MonotonicTime last_byte) {
  if (queue.size == 0) {
    if (queue.passed_over > 0) queue.passed_over -= 1;
    if (queue.passed_over == 0) queue.passed_over_bodiless = false;
    return;
  }
  auto& exchange = pool_[queue.front].exchange;
  exchange.outcome = outcome;
  exchange.last_response = last_byte;
  counters_.add(Counter::kExchanges);
  sink_.on_exchange(exchange);
  pop(queue);
}

void ExchangeMatcher::abort_all(RequestQueue& queue, Outcome outcome, MonotonicTime end,
                                std::uint16_t socket_error) {
  while (queue.size > 0) {
    auto& exchange = pool_[queue.front].exchange;
    exchange.socket_error = socket_error;
    finish(queue, outcome, exchange.last_response.known() ? exchange.last_response : end);
  }
  queue = {.process = queue.process};
}

void ExchangeMatcher::forget_all(RequestQueue& queue, Counter reason) {
  counters_.add(reason, queue.size);
  while (queue.size > 0)
    pop(queue);
  queue = {.process = queue.process};
}

void ExchangeMatcher::pop(RequestQueue& queue) {
  const auto slot = queue.front;
  queue.front = pool_[slot].next;
  if (--queue.size == 0) queue.back = kNoSlot;
  pool_.release(slot);
  if (queue.process != nullptr) queue.process->give_back(Place::kRequest);
}

}  // namespace exa
