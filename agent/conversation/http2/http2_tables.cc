// The tables of Http2Conversation that a process of Go tells, of a connection that is older than
// the agent. Whose a table is follows from who uses it: a goroutine that alone reads or writes a
// connection, and no other one, and that alone calls the decoder or encoder.
#include "agent/conversation/http2/http2_conversation.h"

namespace exa {
namespace {

constexpr std::size_t kMaxToldTables = 64;
constexpr std::size_t kMaxCallers = 8'192;
// A decoder that is called so often by one goroutine is that one's.
constexpr std::uint32_t kCallsToTrust = 2;

Direction direction_of(const TableEvent& table) {
  return table.encoder ? Direction::kEgress : Direction::kIngress;
}

}  // namespace

void Http2Conversation::note_goroutine(const Http2Talk& talk, const ChunkEvent& chunk) {
  auto& direction = talk.direction(chunk.direction);
  if (direction.goroutine == 0) direction.goroutine = chunk.goroutine;
  direction.shared |= direction.goroutine != chunk.goroutine;
  if (talk.state.tables != kNoSlot)
    direction.newest_before = decoder(talk, chunk.direction).table().newest();
}

bool Http2Conversation::may_have(const Connection& connection, const TableEvent& table) const {
  const auto& state = states_[connection.slot];
  const auto& direction = state.directions[static_cast<std::size_t>(direction_of(table))];
  return table.goroutine != 0 && direction.goroutine == table.goroutine;
}

void Http2Conversation::on_table(Connection& connection, const TableEvent& table) {
  const auto talk = talk_on(connection);
  const auto which = direction_of(table);
  auto& direction = talk.direction(which);
  if (callers_.size() >= kMaxCallers) callers_.clear();
  auto& caller = callers_[{table.tgid, table.object}];
  if (caller.calls++ == 0) caller.goroutine = table.goroutine;
  caller.shared |= caller.goroutine != table.goroutine;
  if (caller.shared || caller.calls < kCallsToTrust || direction.shared || direction.learned ||
      talk.state.tables == kNoSlot || !decoder(talk, which).table().may_have_older())
    return;
  ToldTable told{
      .slot = connection.slot, .entries = {}, .text = {table.text.begin(), table.text.end()}};
  const std::string_view text(told.text.data(), told.text.size());
  std::size_t at = 0;
  for (const auto& entry : table.entries()) {
    told.entries.push_back({text.substr(at, entry.name.size()),
                            text.substr(at + entry.name.size(), entry.value.size())});
    at += entry.name.size() + entry.value.size();
  }
  if (!table.encoder) return learn(talk, which, told);
  // The field that it writes now is in the next record.
  if (told_tables_.size() < kMaxToldTables) told_tables_.push_back(std::move(told));
}

void Http2Conversation::take_told(const Http2Talk& talk, Direction which) {
  if (which != Direction::kEgress) return;
  for (const auto& told : told_tables_)
    if (told.slot == talk.connection.slot && !talk.direction(which).learned)
      learn(talk, which, told);
  std::erase_if(told_tables_,
                [&](const ToldTable& told) { return told.slot == talk.connection.slot; });
}

void Http2Conversation::learn(const Http2Talk& talk, Direction which, const ToldTable& table) {
  auto& its = decoder(talk, which);
  auto& direction = talk.direction(which);
  direction.learned =
      hpack::learn(its, table.entries, direction.newest_before, its.table().newest());
  if (!direction.learned) return;
  counters_.add(Counter::kHeadTablesLearned);
  lend_large_table(talk, which);
}

}  // namespace exa
