#include "agent/exchange/open_exchanges.h"

namespace exa {

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
  pool_.places_[slot] = {};
  return slot;
}

void OpenExchanges::finish(std::uint32_t slot, Tenant& process, const Ending& ending) {
  auto& exchange = (*this)[slot];
  exchange.outcome = ending.outcome;
  exchange.last_response = ending.last_byte;
  exchange.ports_proven = ending.ports_proven;
  exchange.socket_error = ending.socket_error;
  counters_.add(Counter::kExchanges);
  sink_.on_exchange(exchange);
  release(slot, process);
}

void OpenExchanges::forget(std::uint32_t slot, Tenant& process, ProtocolCounter reason) {
  messages_.add(reason);
  release(slot, process);
}

void OpenExchanges::release(std::uint32_t slot, Tenant& process) {
  (*this)[slot].read = {};
  pool_.places_.release(slot);
  process.give_back(Place::kRequest);
}

}  // namespace exa
