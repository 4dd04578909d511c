// Objects of one type in slabs, named by index. A slab once taken is kept: in the steady state
// nothing is allocated. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace exa {

inline constexpr std::uint32_t kNoSlot = UINT32_MAX;

inline constexpr std::size_t kSlotsPerSlab = 64;

// A pool grows by whole slabs: so many slots hold at least that many objects.
constexpr std::size_t whole_slabs(std::size_t objects) {
  return (objects + kSlotsPerSlab - 1) / kSlotsPerSlab * kSlotsPerSlab;
}

template <typename T, std::size_t SlotsPerSlab = kSlotsPerSlab>
class SlotPool {
 public:
  explicit SlotPool(std::size_t max_slots) : max_slots_(max_slots) {}

  // kNoSlot when the bound is reached. The object holds what its last user left in it.
  std::uint32_t acquire() {
    if (free_.empty() && !grow()) return kNoSlot;
    const auto slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void release(std::uint32_t slot) { free_.push_back(slot); }

  T& operator[](std::uint32_t slot) { return slabs_[slot / SlotsPerSlab][slot % SlotsPerSlab]; }
  const T& operator[](std::uint32_t slot) const {
    return slabs_[slot / SlotsPerSlab][slot % SlotsPerSlab];
  }

  [[nodiscard]] std::size_t in_use() const { return capacity() - free_.size(); }
  [[nodiscard]] std::size_t capacity() const { return slabs_.size() * SlotsPerSlab; }

 private:
  bool grow() {
    if (capacity() + SlotsPerSlab > max_slots_) return false;
    const auto first = static_cast<std::uint32_t>(capacity());
    slabs_.push_back(std::make_unique<T[]>(SlotsPerSlab));
    free_.reserve(capacity());
    for (std::size_t i = SlotsPerSlab; i-- > 0;)
      free_.push_back(first + static_cast<std::uint32_t>(i));
    return true;
  }

  std::size_t max_slots_;
  std::vector<std::unique_ptr<T[]>> slabs_;
  std::vector<std::uint32_t> free_;
};

}  // namespace exa
