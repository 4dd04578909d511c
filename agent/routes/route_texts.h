// The texts of learnt routes, each once. Capture thread, owned by RouteTable. Bounds: `most` texts;
// they live as long as this, whatever becomes of who learnt them, since exchanges point to them.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>
#include <utility>

namespace exa {

class RouteTexts {
 public:
  explicit RouteTexts(std::size_t most) : most_(most) {}

  // Null: there is no place for it.
  const std::string* keep(std::string text) {
    if (texts_.size() < most_) return &*texts_.insert(std::move(text)).first;
    const auto known = texts_.find(text);
    return known == texts_.end() ? nullptr : &*known;
  }

 private:
  std::size_t most_;
  std::unordered_set<std::string> texts_;
};

}  // namespace exa
