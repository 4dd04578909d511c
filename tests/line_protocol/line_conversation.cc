#include "tests/line_protocol/line_conversation.h"

#include <algorithm>
#include <charconv>

#include "agent/connection/request_origin.h"
#include "tests/line_protocol/line_semantics.h"

namespace exa::line {

LineConversation::LineConversation(ProtocolId id, const ConversationParts& parts)
    : id_(id),
      open_(parts.open),
      blocks_(parts.blocks),
      messages_(parts.messages),
      states_(whole_slabs(parts.max_connections)) {}

bool LineConversation::open(Connection& connection, Opening opening) {
  connection.protocol = id_;
  connection.slot = states_.acquire();
  auto& state = states_[connection.slot];
  state = {};
  state.unanswered = RequestFifo(*connection.process);
  state.lines[static_cast<std::size_t>(connection.request_direction())] = opening.kept;
  return true;
}

ChunkUse LineConversation::on_bytes(Connection& connection, const ChunkEvent& chunk,
                                    std::string_view bytes, std::uint64_t gap_bytes) {
  auto& state = states_[connection.slot];
  auto& line = state.lines[static_cast<std::size_t>(chunk.direction)];
  while (!state.lost && !bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto part = bytes.substr(0, end);
    if (line.empty()) line.start = start_of(chunk, bytes, 0);
    if (end != bytes.npos && line.empty()) {
      take(connection, chunk, line, part);
    } else if (!line.empty() ? blocks_.add(line, part) == part.size()
                             : blocks_.keep(line, *connection.process, part)) {
      if (end == bytes.npos) break;
      take(connection, chunk, line, blocks_.text(line));
      blocks_.drop(line, *connection.process);
    } else {
      lose(connection, ProtocolCounter::kOrphanGap);
    }
    bytes.remove_prefix(std::min(part.size() + 1, bytes.size()));
  }
  if (gap_bytes > 0) lose(connection, ProtocolCounter::kOrphanGap);
  return state.lost ? ChunkUse::kOrphan : ChunkUse::kBelonging;
}

void LineConversation::take(Connection& connection, const ChunkEvent& chunk,
                            const KeptMessage& line, std::string_view text) {
  auto& queue = states_[connection.slot].unanswered;
  if (chunk.direction == connection.request_direction()) {
    auto* exchange = queue.push(open_);
    if (exchange == nullptr) return;
    take_origin(*exchange, connection, line.start);
    exchange->operation.convention = kLine;
    exchange->request_body_bytes = text.size();
    exchange->operation.name.assign(text.substr(text.find(' ') + 1));
    return;
  }
  if (auto* exchange = queue.oldest(open_)) {
    exchange->first_response = line.start.time;
    exchange->response_body_bytes = text.size();
    if (!text.starts_with("ERR ") && text != "OK")
      messages_.add(ProtocolCounter::kParseErrorResponse);
    else if (text != "OK")
      std::from_chars(text.data() + 4, text.data() + text.size(), exchange->operation.status);
  }
  queue.finish_oldest(open_, {.outcome = Outcome::kComplete,
                              .last_byte = chunk.time,
                              .ports_proven = connection.ports_proven,
                              .socket_error = 0});
}

void LineConversation::on_gap(Connection& connection, Direction /*direction*/,
                              std::uint64_t /*gap_bytes*/, MonotonicTime /*last_byte*/) {
  lose(connection, ProtocolCounter::kOrphanGap);
}

bool LineConversation::gap_fits(const Connection& /*connection*/, Direction /*direction*/,
                                std::uint64_t /*gap_bytes*/) const {
  return false;
}

void LineConversation::on_end(Connection& connection, const EndEvent& end) {
  if (!end.final) return;
  states_[connection.slot].unanswered.abort_all(open_, {.outcome = Outcome::kAbortedByPeer,
                                                        .last_byte = end.time,
                                                        .ports_proven = connection.ports_proven,
                                                        .socket_error = end.socket_error});
}

void LineConversation::on_endpoints(Connection& connection, std::uint32_t first_sequence) {
  states_[connection.slot].unanswered.learn_endpoints(open_, connection.local, connection.remote,
                                                      connection.number, first_sequence);
}

void LineConversation::lose(Connection& connection, ProtocolCounter reason) {
  auto& state = states_[connection.slot];
  state.unanswered.forget_all(open_, reason);
  for (auto& line : state.lines)
    blocks_.drop(line, *connection.process);
  state.lost = true;
}

void LineConversation::abandon(Connection& connection) {
  lose(connection, ProtocolCounter::kOrphanRequest);
  states_.release(connection.slot);
  connection.slot = kNoSlot;
}

}  // namespace exa::line
