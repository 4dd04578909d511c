// The attributes and events that a span of ours may carry, for the reference; a test holds them
// against what is synthesised. What says which process it was is in the resource.
#pragma once

// X(key, type, of, sentence). of: server, client or both ends of a request.
// clang-format off
#define EXA_SPAN_ATTRIBUTES(X)                                                                     \
  X("http.request.method", "string", "both", "an HTTP method, or _OTHER")                          \
  X("http.request.method_original", "string", "both", "the method as sent, if that is _OTHER")     \
  X("url.scheme", "string", "both", "https where TLS was read, else http")                         \
  X("url.path", "string", "both", "without the query; anything that looks like a credential is {token}") \
  X("http.route", "string", "server", "the route of the path, where routes are configured or learnt") \
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
  X("exemplar.why", "string", "both", "where the time went, in a sentence")                       \
  X("exemplar.why.cpu_wait", "double", "both", "seconds in which the thread was ready and had no CPU") \
  X("exemplar.why.throttled", "double", "both", "of these, kept from one by a cgroup's quota")     \
  X("exemplar.why.throttled_times", "int", "both", "how often the quota was used up")              \
  X("exemplar.why.on_cpu", "double", "both", "seconds on a CPU")                                   \
  X("exemplar.why.asleep", "double", "both", "seconds asleep: waiting for anything but a CPU")     \
  X("exemplar.why.downstream", "double", "both", "of these, waiting for requests that the thread made itself") \
  X("exemplar.why.lock", "double", "server", "of the rest of the sleep, seconds on a futex (a lock, or anything else between threads) or a lock of a file; this and the next seven are from looks at the thread every 20 ms, while the request took long") \
  X("exemplar.why.disk", "double", "server", "for a disk, or in reads and writes of files")                     \
  X("exemplar.why.timer", "double", "server", "until a time that the thread chose")                  \
  X("exemplar.why.pipe", "double", "server", "on a pipe")                                            \
  X("exemplar.why.network", "double", "server", "on sockets, but for requests of its own")           \
  X("exemplar.why.events", "double", "server", "for one of several descriptors (epoll, poll, select)") \
  X("exemplar.why.child", "double", "server", "for a child process")                      \
  X("exemplar.why.stopped", "double", "server", "stopped by a signal or a debugger, or frozen")     \
  X("exemplar.why.page_faults", "int", "both", "page faults of the thread that needed no disk")    \
  X("exemplar.why.major_page_faults", "int", "both", "those that read from disk")                  \
  X("exemplar.why.retransmits", "int", "both", "segments that the socket had to send again")       \
  X("exemplar.why.out_of_order", "int", "both", "segments that the socket received out of order")  \
  X("exemplar.why.receiver_limited", "double", "both", "seconds of waiting for the peer to make room") \
  X("exemplar.why.connect", "double", "client", "seconds that it took to make the connection, before this request, the first on it") \
  X("exemplar.why.queue.cpu_wait", "double", "server", "of exemplar_agent.queue_time_s, seconds at least in which the thread that then read the request was ready and had no CPU") \
  X("exemplar.why.queue.other_work", "double", "server", "the same, in which that thread was on a CPU with other work") \
  X("exemplar.why.sent_again", "int", "server", "how often a part of the answer was sent again after its last byte was written, until the window closed: it had not arrived") \
  X("exemplar.why.sent_again_after", "double", "server", "seconds from that last byte until it was sent again, the last time") \
  X("exemplar.why.acknowledged_after", "double", "server", "seconds from that last byte until the client's TCP acknowledged it, if that was before the window closed and took long: the round trip and 50 ms, which is more than most delay an acknowledgement; with exemplars.why_exact") \
  X("exemplar.why.shared_with", "int", "both", "exchanges that the thread served meanwhile, at least: all of the thread's times are theirs, too") \
  X("exemplar.why.grew", "string", "both", "on the slowest of a series: what the slowest requests of the window spent more time on than the others") \
  X("exemplar.link", "string", "both", "how the parent is known: connection (its other end), context (the exchange of the process that had the same trace context) or thread (the exchange that its thread was serving)") \
  X("exemplar.beside_sdk", "string", "both", "true where the process sends spans of its own, as an SDK does: the request may have two") \
  X("exemplar", "string", "both", "true on a span chosen as an exemplar; for tail samplers")       \
  X("exemplar.reason", "string", "both", "slowest, error, bucket or floor")

// Its events. X(name, of, sentence)
#define EXA_SPAN_EVENTS(X)                                                                         \
  X("exemplar.request.arrived", "server", "the request's first byte was in the socket; it may have waited to be read, before the span") \
  X("exemplar.response.first_byte", "both", "the first byte of the response")                      \
  X("exemplar.response.sent_again", "server", "a part of the answer, for the last time: it had not arrived, which shows after the span") \
  X("exemplar.response.acknowledged", "server", "the client's TCP had the last byte, if that took long: after the span")
// clang-format on
