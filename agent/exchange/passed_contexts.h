// Which of a process' open exchanges a request of its own belongs to, by the trace context: a proxy
// that knows nothing of tracing sends out the very context it was given. Known only where exactly
// one open exchange of the process has it, and none had it in the last ten seconds: a client may
// try again while the first try is still worked on.
//
// Capture thread; owned by ExchangePool. A place for each of kPlaces contexts that are open at a
// time; while there are more, nothing is known of any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "exa/base/hash_index.h"
#include "exa/model/exchange.h"

namespace exa {

class PassedContexts {
 public:
  static constexpr std::size_t kPlaces = 4'096;

  PassedContexts();

  // A server's exchange that has a context is open from now on. False: it has no place.
  bool open(const Exchange& server);
  // One whose context is not known: while it is open, any may be its.
  void open_unknown() { ++without_place_; }
  // It is not any more.
  void close(const Exchange& server, bool had_place);

  // The number of the exchange that a client's is part of; 0: not known.
  [[nodiscard]] std::uint64_t around(const Exchange& client) const;

 private:
  struct Place {
    std::uint32_t tgid = 0;
    std::uint32_t count = 0;
    TraceId trace_id;
    SpanId parent;
    std::uint64_t numbers = 0;  // of all that are open, by exclusive or: if it is one, its own

    [[nodiscard]] bool is_of(const Exchange& exchange) const {
      return tgid == exchange.tgid && parent == exchange.parent_span_id &&
             trace_id == exchange.trace_id;
    }
  };

  struct Recent {
    std::uint64_t hash = 0;
    MonotonicTime end{};
  };

  [[nodiscard]] std::uint32_t find(const Exchange& exchange, std::uint64_t hash) const;

  std::vector<Place> places_;
  std::vector<std::uint32_t> free_;
  HashIndex index_;
  std::vector<Recent> recent_;  // by hash: the one that ended last
  std::size_t without_place_ = 0;
};

}  // namespace exa
