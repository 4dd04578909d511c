// The attributes that a span of ours may carry, for the reference; a test holds them against what
// is synthesised. What says which process it was is in the resource.
#pragma once

// X(key, type, of, sentence). of: server, client or both ends of a request.
// clang-format off
#define EXA_SPAN_ATTRIBUTES(X)                                                                     \
  X("http.request.method", "string", "both", "an HTTP method, or _OTHER")                          \
  X("http.request.method_original", "string", "both", "the method as sent, if that is _OTHER")     \
  X("url.scheme", "string", "both", "https where TLS was read, else http")                         \
  X("url.path", "string", "both", "without the query; anything that looks like a credential is {token}") \
  X("exemplar_agent.route", "string", "both", "the path with its variable parts named, as in /users/{id}") \
  X("http.response.status_code", "int", "both", "missing where no status line was seen")           \
  X("rpc.system.name", "string", "both", "grpc; a call has these attributes instead of those of HTTP") \
  X("rpc.method", "string", "both", "package.Service/Method, or _OTHER where the server has no such") \
  X("rpc.method_original", "string", "both", "the method as sent, if that is _OTHER")              \
  X("rpc.status_code", "string", "both", "as in NOT_FOUND; missing where no status was seen")      \
  X("error.type", "string", "both", "the status of an error, or connection_reset, timeout, aborted") \
  X("exemplar_agent.outcome", "string", "both", "unknown if it cannot be known whether the response was complete") \
  X("network.protocol.version", "string", "both", "1.0, 1.1 or 2")                                 \
  X("server.address", "string", "both", "client: as the request named it; server: its own address") \
  X("server.port", "int", "both", "the server's port")                                             \
  X("client.address", "string", "server", "the address at the other end of the connection")        \
  X("network.peer.address", "string", "both", "the other end of the connection")                   \
  X("network.peer.port", "int", "both", "its port")                                                \
  X("exemplar_agent.queue_time_s", "double", "server", "seconds from arrival until the request was read") \
  X("exemplar_agent.time_to_first_byte_s", "double", "both", "seconds until the first byte of the response") \
  X("exemplar", "string", "both", "true on a span chosen as an exemplar; for tail samplers")       \
  X("exemplar.reason", "string", "both", "slowest, error, bucket or floor")
// clang-format on
