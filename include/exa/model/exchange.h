// One finished request with its answer, as seen at one end of one connection: what histograms
// count, what the flight recorder keeps and what spans are made from.
//
// Trivially copyable and of fixed size: the capture thread makes, counts and records one without
// an allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "exa/base/inline_string.h"
#include "exa/base/time.h"
#include "exa/model/account.h"
#include "exa/model/address.h"
#include "exa/model/target.h"
#include "exa/model/trace_context.h"

namespace exa {

using SocketId = std::uint64_t;  // the kernel's socket cookie

enum class Role : std::uint8_t { kUnknown, kServer, kClient };

// network.protocol.version; which protocol it is of says the convention.
enum class ProtocolVersion : std::uint8_t { kUnknown, k10, k11, k2 };

// By which semantic convention it is told: each has its row in agent/semantics/conventions.cc.
enum class Convention : std::uint8_t { kHttp, kRpc, kCount };
inline constexpr auto kConventions = static_cast<std::size_t>(Convention::kCount);

// How the exchange ended. kUnknown where the bytes that would tell were not seen: never invented.
enum class Outcome : std::uint8_t {
  kComplete,
  kAbortedByPeer,  // the other end closed or reset before the answer was whole
  kAbortedByUs,    // this end closed before the answer was whole
  kUpgraded,       // 101, or CONNECT accepted: the answer ends with its head
  kUnknown,
};

// RFC 9110 section 9, RFC 5789, and QUERY. Everything else is kOther ("_OTHER").
enum class Method : std::uint8_t {
  kOther,
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kConnect,
  kOptions,
  kTrace,
  kPatch,
  kQuery,
};

// What was asked for and what was answered. The convention's row alone knows what each field is in
// its terms.
struct Operation {
  Convention convention = Convention::kHttp;
  Method method = Method::kOther;
  std::uint16_t status = 0;          // as the protocol numbers them; 0: no final status was seen
  InlineString<101> name;            // what it was asked of: a path without its query, as sent
  InlineString<21> method_original;  // as sent, where method does not say it
};

inline constexpr std::uint32_t kMaxPlaceWithoutSequence = 4096;

inline constexpr std::uint64_t kUnknownBytes = std::numeric_limits<std::uint64_t>::max();

struct Exchange {
  SocketId socket = 0;
  TargetId target = kNoTarget;
  std::uint32_t tgid = 0;
  // TCP sequence number of the request's first byte. Within TLS it may not be known: then up to
  // kMaxPlaceWithoutSequence, a number that tells apart what its connection read at once.
  std::uint32_t request_sequence = 0;
  // Where request_sequence counts from the start of TLS: which of the connections between its
  // endpoints it is. Equal at both ends; else 0.
  std::uint32_t connection_number = 0;

  IpEndpoint local;
  IpEndpoint remote;
  std::uint16_t socket_error = 0;  // errno that ended the connection, 0 if orderly
  ProtocolVersion protocol_version = ProtocolVersion::kUnknown;
  Role role = Role::kUnknown;
  Outcome outcome = Outcome::kUnknown;
  bool tls = false;
  bool ports_proven = false;     // local and remote may be unknown, but are of an observed port
  std::uint8_t trace_flags = 0;  // of its trace: TraceFlags
  bool has_context = false;      // the request carried a valid context
  bool trace_settled = false;    // others know it by trace_id, which stays
  bool has_incoming_rv = false;  // randomness came from tracestate ot=rv

  InlineString<45> host;  // the server as the request named it, with its port
  Operation operation;

  // Zero where unknown. Server: arrival <= read <= first_response <= last_response. Client:
  // read is when the first request byte was written, arrival is unknown. last_response is when the
  // exchange ended: with the answer's last byte, or when it was aborted.
  MonotonicTime arrival;
  MonotonicTime read;
  MonotonicTime first_response;
  MonotonicTime last_response;

  // What was transferred of the bodies, without heads and, where it was all seen, without the
  // framing of chunks.
  std::uint64_t request_body_bytes = kUnknownBytes;
  std::uint64_t response_body_bytes = kUnknownBytes;  // so, too, where no answer was seen

  TraceId trace_id;              // incoming, or as agent/trace/trace_ids.h says
  SpanId parent_span_id;         // incoming caller, or the joined client end, or none
  SpanId span_id;                // of the span that would be synthesised
  std::uint64_t randomness = 0;  // R of 56 bits, see agent/trace/ids/randomness.h

  Account account;  // once it has ended

  // Of a server's request, with its variable parts named: "/orders/{id}". Null: not known. Lives as
  // long as the pipeline.
  const std::string* route = nullptr;

  // Among all that this agent has seen, from 1; and of a client's, that of the exchange of the same
  // process which it is certainly a part of, 0 where that is not known.
  std::uint64_t number = 0;
  std::uint64_t within = 0;

  // What a convention's duration of requests measures.
  [[nodiscard]] Duration duration() const { return elapsed(read, last_response); }
  // Of a server's request: until it was read. Zero where its arrival is not known.
  [[nodiscard]] Duration queued() const {
    return arrival.known() ? elapsed(arrival, read) : Duration::zero();
  }
};
static_assert(std::is_trivially_copyable_v<Exchange>);
static_assert(sizeof(Exchange) <= 480);

}  // namespace exa
