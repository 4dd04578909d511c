// Answers that did not arrive: of which a part was sent again when the process had written all of
// it. That is a time that only the client sees.
//
// Capture thread; owned by RequestPipeline. A place for each of the sockets that did so last.
#pragma once

#include <array>
#include <cstddef>

#include "agent/capture/events.h"
#include "agent/trace/span_synthesizer.h"
#include "exa/base/time.h"
#include "exa/model/exchange.h"

namespace exa {

class Resends {
 public:
  void note(const ResendEvent& resend) {
    auto& place = place_of(resend.socket);
    const bool again = place.socket == resend.socket && place.last_byte == resend.last_byte;
    place = {.socket = resend.socket,
             .last_byte = resend.last_byte,
             .time = resend.time,
             .times = again ? place.times + 1 : 1};
  }
  // Of an answer, as far as is known by now.
  [[nodiscard]] SentAgain of(const Exchange& exchange) const {
    const auto& resend = places_[exchange.socket % places_.size()];
    if (exchange.role != Role::kServer || resend.socket != exchange.socket) return {};
    // Of a later answer on that connection there would be another last byte.
    if (resend.last_byte != exchange.last_response || resend.time < resend.last_byte) return {};
    return {.times = resend.times, .after = elapsed(resend.last_byte, resend.time)};
  }

 private:
  struct Resend {
    SocketId socket = 0;
    MonotonicTime last_byte;
    MonotonicTime time;
    std::uint32_t times = 0;
  };
  Resend& place_of(SocketId socket) { return places_[socket % places_.size()]; }

  std::array<Resend, 1'024> places_{};
};

}  // namespace exa
