// One TCP connection of one process: its two directions, how far each has come, its ends, and which
// protocol it speaks. What that protocol knows of it lies in the conversation's own pool.
// Capture thread; owned by ConnectionTable; no memory besides itself.
#pragma once

#include <array>
#include <cstdint>

#include "agent/capture/events.h"
#include "agent/exchange/slot_pool.h"
#include "agent/exchange/tenants.h"
#include "agent/why/call_facts.h"

namespace exa {

// The place of a protocol's row in the registry, from 1.
enum class ProtocolId : std::uint8_t { kUnknown = 0 };

struct Connection {
  SocketId id = 0;
  MonotonicTime last_activity;
  IpEndpoint local;
  IpEndpoint remote;
  std::array<DirectionState, 2> directions;  // by Direction: accounted for so far
  // By Direction: the latest call of answers that is known, and of requests the one that began the
  // latest run.
  std::array<CallFacts, 2> calls;
  Tenant* process = nullptr;  // whose place it has
  // Connections of the same process, in a ring.
  std::uint32_t next_of_process = kNoSlot;
  std::uint32_t previous_of_process = kNoSlot;

  std::uint32_t slot = kNoSlot;  // in the pool of the conversation; set by nobody else
  std::uint32_t tgid = 0;
  // Equal at both ends, and another for the next connection of the same addresses. 0: sequence
  // numbers tell those apart.
  std::uint32_t number = 0;
  std::uint32_t connect_us = 0;  // of a client; until its first request has taken it
  Role role = Role::kUnknown;
  ProtocolId protocol = ProtocolId::kUnknown;
  bool opaque = false;  // speaks something else from here on; only its bytes are counted
  bool tunnel = false;  // and opaque: of whatever comes next, of which nothing is known
  bool tls = false;
  bool ports_proven = false;  // see ChunkEvent: of the latest one
  bool ingress_ended = false;
  bool egress_ended = false;
  bool ingress_ended_first = false;

  [[nodiscard]] DirectionState& direction(Direction d) {
    return directions[static_cast<std::size_t>(d)];
  }
  [[nodiscard]] const DirectionState& direction(Direction d) const {
    return directions[static_cast<std::size_t>(d)];
  }
  [[nodiscard]] Direction request_direction() const {
    return role == Role::kClient ? Direction::kEgress : Direction::kIngress;
  }
  [[nodiscard]] Direction response_direction() const { return opposite(request_direction()); }
  // The call that moved a byte at that time; null: it is not known.
  [[nodiscard]] const CallFacts* call_at(Direction d, MonotonicTime time) const {
    const auto& call = calls[static_cast<std::size_t>(d)];
    return time.known() && call.time == time ? &call : nullptr;
  }
  [[nodiscard]] bool ended(Direction d) const {
    return d == Direction::kIngress ? ingress_ended : egress_ended;
  }
};
static_assert(sizeof(Connection) <= 336);

}  // namespace exa
