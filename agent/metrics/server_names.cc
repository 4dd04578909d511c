#include "agent/metrics/server_names.h"

#include "agent/semantics/server_name.h"

namespace exa {

ServerKey ServerNames::look_up(const Exchange& client_exchange, Remembered& place) {
  const auto server = server_of(client_exchange);
  place.key = {
      .name = names_.of(server.host.view()), .port = server.port, .is_address = server.is_address};
  if (place.key.name == kNoName) return place.key;
  place.host = client_exchange.host;
  place.remote = client_exchange.remote;
  place.tls = client_exchange.tls;
  place.version = names_.version(place.key.name);
  return place.key;
}

}  // namespace exa
