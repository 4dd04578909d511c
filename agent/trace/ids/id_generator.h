// Ids of traces and spans that nobody else named: a keyed hash of the connection and of the place
// of the request in it, so that both ends of a connection derive the same trace id with no header,
// an event log replays to the same ids, and nobody without the seed can foresee them.
// Capture thread. About one SipHash and a half an exchange, no allocation.
#pragma once

#include "agent/model/siphash.h"
#include "exa/model/exchange.h"

namespace exa {

class IdGenerator {
 public:
  explicit IdGenerator(const HashKey& seed) : seed_(seed) {}

  // Gives the exchange its span id and, if the request carried no context, its trace id, unless it
  // has them. Both ends of one request get the same trace id and different span ids.
  void name(Exchange& exchange) const;

 private:
  HashKey seed_;
};

// Its other end, if it is on this node, finds the same id.
bool has_place_on_the_wire(const Exchange& exchange);

// True if the two exchanges are the client's and the server's view of one and the same request.
bool same_request(const Exchange& client, const Exchange& server);

}  // namespace exa
