// One T for each series of the open window that has something to tell. Capture thread. No
// allocation but when a window has more of them than any before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "agent/metrics/series_registry.h"

namespace exa {

template <typename T>
class WindowEntries {
 public:
  [[nodiscard]] T* find(SeriesIndex series) const {
    if (series >= places_.size() || places_[series] == 0) return nullptr;
    return &entries_[places_[series] - 1]->value;
  }
  // For one that has none; what is in it is an earlier window's.
  T& add(SeriesIndex series) {
    if (series >= places_.size()) places_.resize(series + 1);
    if (used_ == entries_.size()) entries_.push_back(std::make_unique<Entry>());
    auto& entry = *entries_[used_++];
    entry.series = series;
    places_[series] = static_cast<std::uint32_t>(used_);
    return entry.value;
  }
  [[nodiscard]] std::size_t size() const { return used_; }

  void begin_window() {
    for (std::size_t i = 0; i < used_; ++i)
      places_[entries_[i]->series] = 0;
    used_ = 0;
  }

 private:
  struct Entry {
    SeriesIndex series = 0;
    T value;
  };
  std::vector<std::uint32_t> places_;  // by SeriesIndex: place in entries_, plus one; zero: none
  std::vector<std::unique_ptr<Entry>> entries_;
  std::size_t used_ = 0;  // entries of this window
};

}  // namespace exa
