// Exchanges whose answer is not whole yet. A conversation opens one, fills it in in place, and
// finishes or forgets it, which is counted for its protocol.
// Capture thread. Owned by ConnectionTracker: one pool for all protocols, of at most RequestLimits,
// of one process as many as are free; one costs 632 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "agent/exchange/exchange_sink.h"
#include "agent/exchange/passed_contexts.h"
#include "agent/exchange/slot_pool.h"
#include "agent/exchange/slow_exchanges.h"
#include "agent/exchange/tenants.h"
#include "agent/exchange/thread_calls.h"
#include "agent/telemetry/counters.h"
#include "agent/trace/ids/trace_ids.h"
#include "agent/why/account.h"
#include "agent/why/call_facts.h"
#include "agent/why/moving_processes.h"
#include "agent/why/thread_history.h"
#include "agent/why/thread_work.h"
#include "exa/base/time.h"
#include "exa/model/exchange.h"

namespace exa {

struct RequestLimits {
  std::size_t unanswered_per_connection = 64;     // where answers come in order
  std::size_t concurrent_per_connection = 1'024;  // where they come in any
  std::size_t unanswered = 131'072;               // one process alone gets half
};

// How an exchange ended, and what is known of its connection by then.
struct Ending {
  Outcome outcome = Outcome::kUnknown;
  MonotonicTime last_byte;  // of the answer; of an aborted one, when it was given up
  bool ports_proven = false;
  std::uint16_t socket_error = 0;
  const CallFacts* call = nullptr;  // that moved the last byte, if it is known
};

// Where the exchanges of all protocols lie while they are open.
class ExchangePool {
 public:
  // traces: told which request is part of which; without it, none is by its thread.
  explicit ExchangePool(RequestLimits limits, TraceIds* traces = nullptr)
      : limits_(limits), places_(limits.unanswered), traces_(traces) {}
  [[nodiscard]] std::size_t size() const { return places_.in_use(); }
  // Threads of servers that are worth a look now, as they are in a request that takes long.
  [[nodiscard]] std::span<const std::uint32_t> slow_threads(MonotonicTime now) {
    return slow_.due(now, [this](std::uint32_t slot, std::uint64_t number) {
      return places_[slot].exchange.number == number;
    });
  }
  void was_seen(std::uint32_t thread, ThreadDoing doing, MonotonicTime time) {
    threads_.was_seen(thread, doing, time);
    thread_calls_.was_seen(thread, doing);
  }
  void slept(std::uint32_t thread, MonotonicTime from, MonotonicTime until,
             const SleepTimes& asleep_us) {
    threads_.slept(thread, from, until, asleep_us);
  }
  // Every one whose request was read, in no order.
  void for_each(auto visit) const {
    for (std::uint32_t slot = 0; slot < places_.capacity(); ++slot)
      if (const auto& exchange = places_[slot].exchange; exchange.read.known()) visit(exchange);
  }

 private:
  friend class OpenExchanges;
  struct Open {
    Exchange exchange;
    AccountEnd begun;
    std::uint32_t next = kNoSlot;
    std::uint32_t served = kNoSlot;  // of a client's: whose part it is by its thread
    bool may_be_passed_on = false;   // its context was opened, and found a place or not
    bool has_place = false;
    bool waits_alone = false;  // of a client's: its thread, see ThreadCalls
    ThreadCalls::Followed followed = ThreadCalls::Followed::kNot;
  };
  static_assert(sizeof(Open) <= 640);

  RequestLimits limits_;
  SlotPool<Open> places_;
  ThreadWork threads_;
  ThreadHistory history_;
  MovingProcesses moving_servers_;
  MovingProcesses moving_clients_;
  PassedContexts contexts_;
  ThreadCalls thread_calls_;
  TraceIds* traces_;
  SlowExchanges slow_;
  std::uint64_t opened_ = 0;
};

// Those of one protocol.
class OpenExchanges {
 public:
  OpenExchanges(ExchangePool& pool, ExchangeSink& sink, Counters& counters,
                ProtocolCounters& messages)
      : pool_(pool), sink_(sink), counters_(counters), messages_(messages) {}

  // A place for one more of a connection that has so many open already; kNoSlot: there is none,
  // counted.
  [[nodiscard]] std::uint32_t open(Tenant& process, std::uint32_t already_open) {
    return open_if(process, already_open < pool_.limits_.unanswered_per_connection);
  }
  [[nodiscard]] std::uint32_t open_concurrent(Tenant& process, std::uint32_t already_open) {
    return open_if(process, already_open < pool_.limits_.concurrent_per_connection);
  }
  // Of all protocols together.
  [[nodiscard]] std::size_t most() const { return pool_.limits_.unanswered; }
  // The same as if there were no place.
  void count_overflow() { messages_.add(ProtocolCounter::kRequestsUnansweredOverflow); }

  [[nodiscard]] Exchange& operator[](std::uint32_t slot) { return pool_.places_[slot].exchange; }
  [[nodiscard]] const Exchange& operator[](std::uint32_t slot) const {
    return pool_.places_[slot].exchange;
  }
  // Of whoever keeps several in an order.
  [[nodiscard]] std::uint32_t& next_of(std::uint32_t slot) { return pool_.places_[slot].next; }

  // The exchange is filled in as far as its request says. With the call that moved the request's
  // first byte, if it is known. Of a head that was cut the context may be unknown.
  void begin(std::uint32_t slot, const CallFacts* call, bool context_unknown);

  // Hands it on and frees its place.
  void finish(std::uint32_t slot, Tenant& process, const Ending& ending);
  // Nobody will know how it ended; counted as reason.
  void forget(std::uint32_t slot, Tenant& process, ProtocolCounter reason);

 private:
  std::uint32_t open_if(Tenant& process, bool room);
  void begin_served(std::uint32_t slot, bool context_unknown);
  void begin_call(std::uint32_t slot);
  void explain_queue(Exchange& exchange, const CallFacts& call);
  void account_for(std::uint32_t slot, const CallFacts& call);
  void end_in_thread(std::uint32_t slot, std::uint32_t thread, bool complete);
  void release(std::uint32_t slot, Tenant& process);

  ExchangePool& pool_;
  ExchangeSink& sink_;
  Counters& counters_;
  ProtocolCounters& messages_;
};

}  // namespace exa
