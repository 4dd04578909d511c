// Which trace each request belongs to, told once and then final: the one whose context it carried;
// else the one of the request that it is part of; else one of its own. What a client's end found
// out its server's end takes over, on the same node: both would have made the same id.
//
// Capture thread; owned by RequestPipeline. Without requests that are part of others nothing but
// the ids is done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/trace/ids/id_generator.h"
#include "exa/model/exchange.h"

namespace exa {

class TraceIds {
 public:
  // Requests whose other end may still ask. One that lost its place begins a trace of its own.
  static constexpr std::size_t kPlaces = 4'096;

  explicit TraceIds(const HashKey& seed) : made_(seed) {}

  // A server's exchange began: its caller's end may have told by now whose part it is.
  void begin(Exchange& server);
  // A client's request, which began just now and carried no context, is part of that exchange,
  // which is open. Nothing is done where that cannot be told to its other end; false.
  bool make_part(Exchange& client, Exchange& server);
  // It ended: it has both ids afterwards.
  void name(Exchange& exchange);

 private:
  struct Part {
    TraceId made;  // what the request would have had
    TraceId trace_id;
    std::uint64_t randomness = 0;
    std::uint8_t trace_flags = 0;
    bool has_incoming_rv = false;
  };

  [[nodiscard]] static std::size_t place_of(const TraceId& made);

  IdGenerator made_;
  std::vector<Part> parts_;  // by what they would have had; empty until there is one
};

}  // namespace exa
