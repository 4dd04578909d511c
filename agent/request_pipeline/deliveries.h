// What became of answers after their last byte was written: a part that had not arrived was sent
// again, or the peer's TCP took long to acknowledge that byte. Times that only the client sees.
//
// Capture thread; owned by RequestPipeline. A place for each of the sockets of which that was told
// last.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "agent/capture/events.h"
#include "agent/trace/span_synthesizer.h"
#include "exa/base/time.h"
#include "exa/model/exchange.h"

namespace exa {

class Deliveries {
 public:
  void note(const ResendEvent& resend) {
    auto& answer = place_of(resend.socket, resend.last_byte);
    answer.sent_again = resend.time;
    ++answer.times;
  }
  void note(const DeliveredEvent& delivered) {
    place_of(delivered.socket, delivered.last_byte).acknowledged = delivered.time;
  }
  // Of an answer, as far as is known by now.
  [[nodiscard]] Delivery of(const Exchange& exchange) const {
    const auto& answer = places_[exchange.socket % places_.size()];
    if (exchange.role != Role::kServer || answer.socket != exchange.socket) return {};
    // Of a later answer on that connection there would be another last byte.
    if (answer.last_byte != exchange.last_response) return {};
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
    MonotonicTime last_byte;
    MonotonicTime sent_again{};  // the last time
    MonotonicTime acknowledged{};
    std::uint32_t times = 0;
  };
  Answer& place_of(SocketId socket, MonotonicTime last_byte) {
    auto& place = places_[socket % places_.size()];
    if (place.socket != socket || place.last_byte != last_byte)
      place = {.socket = socket, .last_byte = last_byte};
    return place;
  }

  std::array<Answer, 1'024> places_{};
};

}  // namespace exa
