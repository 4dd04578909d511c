// What became of answers after their last byte was written: a part that had not arrived was sent
// again, or the peer's TCP took long to acknowledge that byte. Times that only the client sees.
//
// Capture thread; owned by RequestPipeline. A place for each of 1,024 answers, or parts of them; of
// two that need the same one the later has it, which is counted within a window.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "agent/capture/events.h"
#include "agent/telemetry/counters.h"
#include "agent/trace/span_synthesizer.h"
#include "exa/base/time.h"
#include "exa/model/exchange.h"

namespace exa {

class Deliveries {
 public:
  explicit Deliveries(Counters& counters) : counters_(counters) {}

  void note(const AnswerEvent& event) {
    auto& answer = places_[place_of(event.socket, event.last_byte)];
    if (answer.socket != event.socket || answer.last_byte != event.last_byte) {
      if (answer.socket != 0 && answer.last_byte >= window_began_)
        counters_.add(Counter::kDeliveriesOverwritten);
      answer = {.socket = event.socket, .last_byte = event.last_byte};
    }
    if (event.kind == AnswerEvent::Kind::kAcknowledged) {
      answer.acknowledged = event.time;
    } else {
      answer.sent_again = event.time;
      ++answer.times;
    }
  }
  // Nobody asks for answers of earlier windows.
  void begin_window(MonotonicTime time) { window_began_ = time; }
  // Of an answer, as far as is known by now.
  [[nodiscard]] Delivery of(const Exchange& exchange) const {
    const auto& answer = places_[place_of(exchange.socket, exchange.last_response)];
    if (exchange.role != Role::kServer || answer.socket != exchange.socket ||
        answer.last_byte != exchange.last_response)
      return {};
    Delivery delivery;
    if (answer.times > 0 && answer.sent_again >= answer.last_byte)
      delivery = {.sent_again = answer.times,
                  .sent_again_after = elapsed(answer.last_byte, answer.sent_again)};
    if (answer.acknowledged >= answer.last_byte)
      delivery.acknowledged_after = elapsed(answer.last_byte, answer.acknowledged);
    return delivery;
  }

 private:
  struct Answer {
    SocketId socket = 0;
    MonotonicTime last_byte{};
    MonotonicTime sent_again{};  // the last time
    MonotonicTime acknowledged{};
    std::uint32_t times = 0;
  };
  static constexpr unsigned kPlaceBits = 10;
  // Answers of one connection have places of their own.
  static std::size_t place_of(SocketId socket, MonotonicTime last_byte) {
    const auto mixed = (socket * 0xff51afd7ed558ccd ^ last_byte.ns) * 0x9e3779b97f4a7c15;
    return mixed >> (64 - kPlaceBits);
  }

  Counters& counters_;
  MonotonicTime window_began_{};
  std::array<Answer, std::size_t{1} << kPlaceBits> places_{};
};

}  // namespace exa
