// What the field block of a request, a response or its trailers says (RFC 9113 section 8.3). What
// an onlooker does not know of it stays unknown. Pure, no allocation.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/protocol/http2/hpack/decoder.h"
#include "agent/trace/context/context_reader.h"
#include "exa/base/inline_string.h"
#include "exa/model/exchange.h"

namespace exa::http2 {

// Texts are copies: those of the decoder do not outlive a field.
struct Head {
  bool has_method = false;    // a request's; its text may be unknown
  bool has_status = false;    // a response's; the same
  bool has_protocol = false;  // extended CONNECT (RFC 8441)
  bool is_grpc = false;       // by its content type; not grpc-web, which is HTTP
  bool has_grpc_status = false;
  Method method = Method::kOther;
  std::uint16_t status = 0;       // 0: not known
  std::uint16_t grpc_status = 0;  // as sent
  std::uint64_t timeout_ns = 0;   // grpc-timeout; 0: none
  decltype(Operation::method_original) method_text;
  decltype(Operation::name) path;  // without its query; empty: not known
  decltype(Exchange::host) host;
  ContextReader context;
};

void read_field(const hpack::Field& field, Head& head);

}  // namespace exa::http2
