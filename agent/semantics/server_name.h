// The server a client talks to, as a name or an address. Pure; in place, since this is on the way
// of every request.
#pragma once

#include <string>
#include <string_view>

#include "agent/semantics/semantics.h"

namespace exa {

// As the request names it: lower case, without the port, which is returned. An empty host means
// that the request names none that is valid; the remote address stands for it then.
std::uint16_t name_server(const Exchange& client_exchange, ServerHost& host);

// The same for the key of its series, where an address has one form however it is told.
struct Server {
  ServerHost host;  // never empty
  std::uint16_t port = 0;
  bool is_address = false;
};
Server server_of(const Exchange& client_exchange);
std::string server_text(std::string_view host, bool is_address);
// server.address and server.port of a key that has them.
void add_server(const OperationKey& key, const KeyTexts& texts, Attributes& attributes);

}  // namespace exa
