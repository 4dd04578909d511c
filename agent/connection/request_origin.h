// What an exchange takes from its connection and the first byte of its request. Pure.
#pragma once

#include <utility>

#include "agent/connection/connection.h"
#include "agent/connection/kept_message.h"
#include "exa/model/exchange.h"

namespace exa {

// TLS: they may become known after the request.
inline void take_endpoints(Exchange& exchange, const Connection& connection) {
  exchange.local = connection.local;
  exchange.remote = connection.remote;
  exchange.connection_number = connection.number;
}

inline void take_origin(Exchange& exchange, Connection& connection, const MessageStart& start) {
  exchange.socket = connection.id;
  exchange.tgid = start.tgid != 0 ? start.tgid : connection.tgid;
  take_endpoints(exchange, connection);
  exchange.role = connection.role;
  exchange.tls = connection.tls;
  exchange.ports_proven = connection.ports_proven;
  exchange.request_sequence = start.sequence;
  // A client's request does not arrive, and no request arrives after it was read.
  if (connection.role == Role::kServer && start.arrival <= start.time)
    exchange.arrival = start.arrival;
  exchange.read = start.time;
  if (connection.role == Role::kClient)
    exchange.account.before.connect_us = std::exchange(connection.connect_us, 0);
}

}  // namespace exa
