// What is different about an exchange that is a call of gRPC
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md): its status is that of its
// trailers, and where there is none a client derives one as the libraries do. Pure.
#pragma once

#include <cstdint>

#include "agent/conversation/http2/stream_table.h"
#include "agent/protocol/http2/message_head.h"
#include "exa/model/exchange.h"

namespace exa::calls {

inline bool is_call(const Exchange& exchange) {
  return exchange.operation.convention == Convention::kRpc;
}

// The request's head, which says that it is one, and by when it is to be answered. On a connection
// that is older than the agent it may not be known what the head says: then it is taken for one if
// there were others on the connection.
void begin(Exchange& exchange, Http2Stream& stream, const http2::MessageHead& head,
           bool beside_others);
// A head of the answer, or its trailers; the answer alone may say that it is a call's. So do
// trailers, where the heads are not known: of a POST hardly anything else has them.
void take_answer(Exchange& exchange, Http2Stream& stream, const http2::MessageHead& head,
                 bool ends_stream);
// The stream was reset, with an error code of RFC 9113 section 7.
void take_reset(Exchange& exchange, const Http2Stream& stream, std::uint32_t code,
                MonotonicTime time);
// The answer ended with its body, where its status should have come. The libraries of Go and Java
// call that INTERNAL; what the server meant is not known.
void take_end_without_trailers(Exchange& exchange, const Http2Stream& stream);
// It is over: without a status there may be one in the answer's, which a server has told, too.
void settle(Exchange& exchange, const Http2Stream& stream);

}  // namespace exa::calls
