// The unanswered requests of one connection, oldest first, for protocols that answer in order.
// Requests that find no place keep theirs in the order: their answers are passed over.
// Capture thread. Part of a conversation's state, 24 bytes; the exchanges lie in OpenExchanges.
#pragma once

#include <cstdint>

#include "agent/exchange/open_exchanges.h"

namespace exa {

class RequestFifo {
 public:
  RequestFifo() = default;
  // On whose account.
  explicit RequestFifo(Tenant& process) : process_(&process) {}

  // The exchange of one more request, to be filled in; null: there is no place.
  Exchange* push(OpenExchanges& open);

  // The one pushed last is filled in, see OpenExchanges.
  void begin_newest(OpenExchanges& open, const CallFacts* call, bool context_unknown) const {
    open.begin(back_, call, context_unknown);
  }

  // Whose answer comes next; null: there is none, or its request found no place.
  [[nodiscard]] Exchange* oldest(OpenExchanges& open) const {
    return size_ == 0 ? nullptr : &open[front_];
  }
  // Null: it found no place, or is answered already.
  [[nodiscard]] Exchange* newest(OpenExchanges& open) const {
    return size_ == 0 || passed_over_ > 0 ? nullptr : &open[back_];
  }

  // The oldest leaves the order and stays open; kNoSlot: there is none.
  [[nodiscard]] std::uint32_t give_oldest(OpenExchanges& open) {
    return size_ == 0 ? kNoSlot : pop(open);
  }

  // The next answer is over, whether or not its request found a place.
  void finish_oldest(OpenExchanges& open, const Ending& ending);
  // The connection ended before the answers were whole: with it ends what was asked, however much
  // of an answer had come.
  void abort_all(OpenExchanges& open, const Ending& ending);
  // Nobody will know how these ended; each is counted as reason.
  void forget_all(OpenExchanges& open, ProtocolCounter reason);

  // The endpoints of a TLS stream became known after its requests. first_sequence is that of the
  // oldest one if that had none; 0 says nothing.
  void learn_endpoints(OpenExchanges& open, const IpEndpoint& local, const IpEndpoint& remote,
                       std::uint32_t connection_number, std::uint32_t first_sequence) const;

  // Requests that found a place.
  [[nodiscard]] std::uint32_t held() const { return size_; }
  [[nodiscard]] std::uint32_t passed_over() const { return passed_over_; }
  // Answers that are still to come.
  [[nodiscard]] std::uint32_t waiting() const { return size_ + passed_over_; }
  [[nodiscard]] bool empty() const { return waiting() == 0; }

 private:
  std::uint32_t pop(OpenExchanges& open);

  std::uint32_t front_ = kNoSlot;
  std::uint32_t back_ = kNoSlot;
  std::uint32_t size_ = 0;
  std::uint32_t passed_over_ = 0;  // all behind those that found one
  Tenant* process_ = nullptr;
};
static_assert(sizeof(RequestFifo) == 24);

}  // namespace exa
