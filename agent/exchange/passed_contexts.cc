#include "agent/exchange/passed_contexts.h"

#include <algorithm>
#include <cstring>

namespace exa {
namespace {

constexpr Duration kRecently = std::chrono::seconds(10);

std::uint64_t hash_of(const Exchange& exchange) {
  std::uint64_t words[3];
  std::memcpy(words, exchange.trace_id.bytes.data(), 16);
  std::memcpy(words + 2, exchange.parent_span_id.bytes.data(), 8);
  std::uint64_t hash = exchange.tgid;
  for (const auto word : words)
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
  return hash;
}

}  // namespace

PassedContexts::PassedContexts() : places_(kPlaces), index_(kPlaces), recent_(kPlaces) {
  free_.reserve(kPlaces);
  for (std::uint32_t place = kPlaces; place-- > 0;)
    free_.push_back(place);
}

std::uint32_t PassedContexts::find(const Exchange& exchange, std::uint64_t hash) const {
  return index_.find(hash, [&](std::uint32_t place) { return places_[place].is_of(exchange); });
}

bool PassedContexts::open(const Exchange& server) {
  const auto hash = hash_of(server);
  auto at = find(server, hash);
  if (at == HashIndex::kNone) {
    if (free_.empty()) {
      ++without_place_;
      return false;
    }
    at = free_.back();
    free_.pop_back();
    index_.insert(hash, at);
    places_[at] = {.tgid = server.tgid,
                   .count = 0,
                   .trace_id = server.trace_id,
                   .parent = server.parent_span_id,
                   .numbers = 0};
  }
  ++places_[at].count;
  places_[at].numbers ^= server.number;
  return true;
}

void PassedContexts::close(const Exchange& server, bool had_place) {
  if (!had_place) {
    --without_place_;
    return;
  }
  const auto hash = hash_of(server);
  recent_[hash >> 32 & (kPlaces - 1)] = {hash, std::max(server.read, server.last_response)};
  const auto at = find(server, hash);
  places_[at].numbers ^= server.number;
  if (--places_[at].count > 0) return;
  index_.erase(hash, at);
  free_.push_back(at);
}

std::uint64_t PassedContexts::around(const Exchange& client) const {
  if (without_place_ > 0) return 0;
  const auto hash = hash_of(client);
  const auto& recent = recent_[hash >> 32 & (kPlaces - 1)];
  if (recent.hash == hash && elapsed(recent.end, client.read) < kRecently) return 0;
  const auto at = find(client, hash);
  return at != HashIndex::kNone && places_[at].count == 1 ? places_[at].numbers : 0;
}

}  // namespace exa
