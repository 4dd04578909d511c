// The routes of one service, learnt from its requests: a tree of path segments in which siblings
// that are too many become one placeholder.
// Capture thread, owned by RouteTable. Bounds: kMostNodes segments, and `limit` routes, whose texts
// live as long as this. Allocates only for what it has not seen before.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace exa {

class RouteLearner {
 public:
  static constexpr std::size_t kMostNodes = 1000;
  static constexpr std::size_t kMostSiblings = 12;      // of words behind one prefix
  static constexpr std::uint64_t kFewestRequests = 50;  // of a route
  static constexpr std::uint64_t kSmallestShare = 100;  // of all requests, one in so many

  explicit RouteLearner(std::uint32_t limit) : limit_(limit), nodes_(1) {}

  // templated: the path as path_template() makes it. Its route; null: it has not earned one yet, or
  // there is no place for it.
  const std::string* see(std::string_view templated);

  [[nodiscard]] std::size_t nodes() const { return nodes_.size(); }

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = 0;  // the root is nobody's child

  struct Node {
    std::string segment;
    Index parent = kNone;
    std::vector<Index> words;
    Index placeholder = kNone;   // once there were too many words
    std::uint64_t requests = 0;  // that end here
    const std::string* route = nullptr;
  };
  Index child_of(Index parent, std::string_view segment);
  Index add(Index parent, std::string_view segment);
  [[nodiscard]] std::string text_of(Index node) const;

  std::uint32_t limit_;
  std::uint64_t requests_ = 0;
  std::vector<Node> nodes_;
  std::deque<std::string> routes_;
};

}  // namespace exa
