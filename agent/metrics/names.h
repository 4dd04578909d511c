// The texts that keys of series are made of, each told by a number, so that keys are small and are
// compared and hashed without their texts.
// Capture thread only, owned by SeriesKeys. As many as it was made for; a name lives while a series
// holds it. Memory of unused places is never touched; no allocation once all places were in use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "agent/semantics/semantics.h"

namespace exa {

class Names {
 public:
  explicit Names(std::size_t most);

  // text: at most as many bytes as a KeyText has. kNoName: there is no place for one more.
  [[nodiscard]] NameId of(std::string_view text);

  void hold(NameId name) { ++places_[place_of(name)].holders; }
  // When nobody holds it any more its number is not given again, for as long as a window that told
  // of it may be about.
  void release(NameId name);
  // The series that it was made for did not come to be.
  void drop_unless_held(NameId name);

  [[nodiscard]] const KeyText& text(NameId name) const { return places_[place_of(name)].text; }
  // A name as it was remembered: whether the number still means the same text.
  [[nodiscard]] std::uint32_t version(NameId name) const { return places_[place_of(name)].version; }
  [[nodiscard]] std::size_t size() const { return in_use_; }

 private:
  static constexpr std::uint32_t kPlaceBits = 22;
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct Place {
    KeyText text;
    std::uint32_t holders = 0;
    std::uint32_t version = 0;     // rises whenever the place gets or loses a text
    std::uint32_t next = kNone;    // of its chain, or of the free ones
    std::uint32_t generation = 0;  // of the numbers that were told with it
  };

  static std::uint32_t place_of(NameId name) { return (name & ((1u << kPlaceBits) - 1)) - 1; }
  [[nodiscard]] NameId id_of(std::uint32_t place) const {
    return (places_[place].generation << kPlaceBits) | (place + 1);
  }
  [[nodiscard]] std::uint32_t& chain_of(std::string_view text);
  void free(std::uint32_t place);

  std::size_t most_;
  std::vector<Place> places_;
  std::vector<std::uint32_t> chains_;  // by hash: the first of those that share it
  std::uint32_t first_free_ = kNone;
  std::size_t in_use_ = 0;
};

}  // namespace exa
