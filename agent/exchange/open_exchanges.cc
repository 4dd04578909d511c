#include "agent/exchange/open_exchanges.h"

#include <algorithm>
#include <limits>
#include <memory>

namespace exa {
namespace {

std::uint32_t in_us(Duration time) {
  const auto us = std::chrono::floor<std::chrono::microseconds>(time).count();
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(us, 0, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

std::uint32_t OpenExchanges::open_if(Tenant& process, bool room) {
  const auto free = pool_.limits_.unanswered - pool_.size();
  if (room && free > 0 && !process.may_take(Place::kRequest, free)) {
    process.lose(Place::kRequest);
    messages_.add(ProtocolCounter::kRequestsOverShare);
    return kNoSlot;
  }
  const auto slot = room ? pool_.places_.acquire() : kNoSlot;
  if (slot == kNoSlot) {
    count_overflow();
    return kNoSlot;
  }
  process.take(Place::kRequest);
  std::construct_at(&pool_.places_[slot]);  // in place: it is large, and holds nothing
  return slot;
}

void OpenExchanges::begin(std::uint32_t slot, const CallFacts* call, bool context_unknown) {
  auto& open = pool_.places_[slot];
  auto& exchange = open.exchange;
  exchange.number = ++pool_.opened_;
  if (call != nullptr) open.begun.call = *call;
  if (exchange.role == Role::kServer)
    begin_served(slot, context_unknown);
  else if (exchange.role == Role::kClient)
    begin_call(slot);
  if (call == nullptr) return;
  if (exchange.role == Role::kServer) explain_queue(exchange, *call);
  pool_.history_.note(*call);
  if (call->thread == 0 || exchange.role != Role::kServer) return;
  open.begun.work = pool_.threads_.begin(call->thread, call->time, call->sleeps_told);
  pool_.slow_.began(slot, exchange.number, call->thread, call->time);
}

void OpenExchanges::begin_served(std::uint32_t slot, bool context_unknown) {
  auto& open = pool_.places_[slot];
  auto& exchange = open.exchange;
  open.may_be_passed_on = exchange.has_context || context_unknown;
  if (exchange.has_context)
    open.has_place = pool_.contexts_.open(exchange);
  else if (context_unknown)
    pool_.contexts_.open_unknown();
  const auto& call = open.begun.call;
  open.followed =
      pool_.thread_calls_.begin_served(exchange.tgid, call.thread, slot, call.waits_itself);
  if (pool_.traces_ != nullptr) pool_.traces_->begin(exchange);
}

// Of a process that moves work between threads, the thread's time is not that of who read it.
void OpenExchanges::explain_queue(Exchange& exchange, const CallFacts& call) {
  auto& before = exchange.account.before;
  if (!exchange.arrival.known() || pool_.moving_servers_.holds(exchange.tgid)) return;
  const auto awake = pool_.history_.at_least_awake(exchange.arrival, call);
  before.queued_cpu_wait_us = in_us(awake.cpu_wait);
  before.queued_other_work_us = in_us(awake.on_cpu);
}

// It is part of what the process was asked, where that is certain.
void OpenExchanges::begin_call(std::uint32_t slot) {
  auto& open = pool_.places_[slot];
  auto& exchange = open.exchange;
  const auto call = pool_.thread_calls_.begin_call(exchange.tgid, open.begun.call.thread);
  open.followed = call.followed;
  open.waits_alone = call.alone;
  if (exchange.has_context) {
    exchange.within = pool_.contexts_.around(exchange);
  } else if (call.served != kNoSlot && pool_.traces_ != nullptr) {
    auto& served = pool_.places_[call.served].exchange;
    if (!pool_.traces_->make_part(exchange, served)) return;
    exchange.within = served.number;
    open.served = call.served;
  }
}

// A client's wait is its thread's, too, unless that may serve others meanwhile.
void OpenExchanges::account_for(std::uint32_t slot, const CallFacts& call) {
  auto& open = pool_.places_[slot];
  auto& exchange = open.exchange;
  AccountEnd ended{.call = call, .work = {}};
  if (call.thread != 0 && exchange.role == Role::kServer)
    ended.work = pool_.threads_.end(call.thread, call.time);
  const auto before = exchange.account.before;
  exchange.account = account_between(open.begun, ended, exchange.duration());
  exchange.account.before = before;
  pool_.history_.note(call);
  auto& moving = exchange.role == Role::kServer ? pool_.moving_servers_ : pool_.moving_clients_;
  if (exchange.account.other_thread)
    moving.note(exchange.tgid);
  else if (exchange.account.thread_known && moving.holds(exchange.tgid))
    exchange.account = without_thread(exchange.account);
  if (open.waits_alone && exchange.account.thread_known)
    pool_.threads_.was_downstream(call.thread, exchange.read, exchange.last_response);
}

void OpenExchanges::finish(std::uint32_t slot, Tenant& process, const Ending& ending) {
  auto& exchange = (*this)[slot];
  exchange.outcome = ending.outcome;
  exchange.last_response = ending.last_byte;
  exchange.ports_proven = ending.ports_proven;
  exchange.socket_error = ending.socket_error;
  end_in_thread(slot, ending.call != nullptr ? ending.call->thread : 0,
                ending.outcome == Outcome::kComplete);
  if (ending.call != nullptr) account_for(slot, *ending.call);
  counters_.add(Counter::kExchanges);
  sink_.on_exchange(exchange);
  release(slot, process);
}

void OpenExchanges::forget(std::uint32_t slot, Tenant& process, ProtocolCounter reason) {
  messages_.add(reason);
  end_in_thread(slot, 0, false);
  release(slot, process);
}

// thread: which moved its last byte; 0: not known.
void OpenExchanges::end_in_thread(std::uint32_t slot, std::uint32_t thread, bool complete) {
  auto& open = pool_.places_[slot];
  if (open.served != kNoSlot && pool_.places_[open.served].exchange.number != open.exchange.within)
    open.exchange.within = 0;  // it outlasted the answer
  const ThreadCalls::End end{.followed = open.followed,
                             .tgid = open.exchange.tgid,
                             .begun_in = open.begun.call.thread,
                             .ended_in = thread,
                             .complete = complete};
  if (open.exchange.role == Role::kServer)
    pool_.thread_calls_.end_served(end);
  else
    pool_.thread_calls_.end_call(end);
}

void OpenExchanges::release(std::uint32_t slot, Tenant& process) {
  auto& open = pool_.places_[slot];
  if (open.may_be_passed_on) pool_.contexts_.close(open.exchange, open.has_place);
  open.exchange.read = {};
  open.exchange.number = 0;
  pool_.places_.release(slot);
  process.give_back(Place::kRequest);
}

}  // namespace exa
