#include "agent/exchange/request_fifo.h"

namespace exa {

Exchange* RequestFifo::push(OpenExchanges& open) {
  auto slot = kNoSlot;
  if (passed_over_ == 0) {
    slot = open.open(*process_, size_);
  } else {
    open.count_overflow();
  }
  if (slot == kNoSlot) {
    ++passed_over_;
    return nullptr;
  }
  if (size_ == 0) {
    front_ = slot;
  } else {
    open.next_of(back_) = slot;
  }
  back_ = slot;
  ++size_;
  return &open[slot];
}

void RequestFifo::finish_oldest(OpenExchanges& open, const Ending& ending) {
  if (size_ > 0) {
    open.finish(pop(open), *process_, ending);
  } else if (passed_over_ > 0) {
    --passed_over_;
  }
}

void RequestFifo::abort_all(OpenExchanges& open, const Ending& ending) {
  while (size_ > 0)
    open.finish(pop(open), *process_, ending);
  passed_over_ = 0;
}

void RequestFifo::forget_all(OpenExchanges& open, ProtocolCounter reason) {
  while (size_ > 0)
    open.forget(pop(open), *process_, reason);
  passed_over_ = 0;
}

void RequestFifo::learn_endpoints(OpenExchanges& open, const IpEndpoint& local,
                                  const IpEndpoint& remote, std::uint32_t connection_number,
                                  std::uint32_t first_sequence) const {
  auto slot = front_;
  for (std::uint32_t i = 0; i < size_; ++i) {
    auto& exchange = open[slot];
    exchange.local = local;
    exchange.remote = remote;
    exchange.connection_number = connection_number;
    if (i == 0 && exchange.request_sequence == 0) exchange.request_sequence = first_sequence;
    slot = open.next_of(slot);
  }
}

std::uint32_t RequestFifo::pop(OpenExchanges& open) {
  const auto slot = front_;
  front_ = open.next_of(slot);
  if (--size_ == 0) back_ = kNoSlot;
  return slot;
}

}  // namespace exa
