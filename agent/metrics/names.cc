#include "agent/metrics/names.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <string_view>

namespace exa {

Names::Names(std::size_t most)
    : most_(std::min(most, (std::size_t{1} << kPlaceBits) - 1)),
      chains_(std::bit_ceil(std::max<std::size_t>(most_ / 2, 1)), kNone) {}

std::uint32_t& Names::chain_of(std::string_view text) {
  return chains_[std::hash<std::string_view>()(text) & (chains_.size() - 1)];
}

NameId Names::of(std::string_view text) {
  auto& chain = chain_of(text);
  for (auto at = chain; at != kNone; at = places_[at].next)
    if (places_[at].text.view() == text) return id_of(at);
  auto place = first_free_;
  if (place != kNone) {
    first_free_ = places_[place].next;
  } else {
    if (places_.size() == most_) return kNoName;
    place = static_cast<std::uint32_t>(places_.size());
    places_.emplace_back();
  }
  places_[place].text.assign(text);
  places_[place].next = chain;
  ++places_[place].version;
  chain = place;
  ++in_use_;
  return id_of(place);
}

void Names::release(NameId name) {
  const auto place = place_of(name);
  if (--places_[place].holders > 0) return;
  free(place);
  ++places_[place].generation;
}

void Names::drop_unless_held(NameId name) {
  if (name != kNoName && places_[place_of(name)].holders == 0) free(place_of(name));
}

void Names::free(std::uint32_t place) {
  auto* link = &chain_of(places_[place].text.view());
  while (*link != place)
    link = &places_[*link].next;
  *link = places_[place].next;
  ++places_[place].version;
  places_[place].next = first_free_;
  first_free_ = place;
  --in_use_;
}

}  // namespace exa
