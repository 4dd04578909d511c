// The routes of one service, learnt from its requests: a tree of path segments in which siblings
// that are too many become one placeholder.
// Capture thread, owned by RouteTable. Bounds: kMostNodes segments, and `limit` routes. Allocates
// only for what it has not seen before.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/routes/route_texts.h"

namespace exa {

class RouteLearner {
 public:
  static constexpr std::size_t kMostNodes = 1000;
  static constexpr std::size_t kMostSiblings = 12;      // of words behind one prefix
  static constexpr std::uint64_t kFewestRequests = 50;  // of a route
  static constexpr std::uint64_t kSmallestShare = 100;  // of all requests, one in so many
  // Then half of what was counted is forgotten, so that a share is one of the requests of late: an
  // endpoint may be new, however old the service is.
  static constexpr std::uint64_t kHalvedEvery = 20'000;

  explicit RouteLearner(std::uint32_t limit) : limit_(limit), nodes_(1) {}

  // templated: the path as path_template() makes it. Its route, whose text is among texts; null: it
  // has not earned one yet, or there is no place for it.
  const std::string* see(std::string_view templated, RouteTexts& texts);

  [[nodiscard]] std::size_t nodes() const { return nodes_.size(); }

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = 0;  // the root is nobody's child

  struct Node {
    std::string segment{};
    Index parent = kNone;
    std::vector<Index> words{};
    Index placeholder = kNone;   // once there were too many words
    std::uint64_t requests = 0;  // that end here
    std::uint64_t weight = 0;    // make_room(): requests that end here or below
    const std::string* route = nullptr;
    bool has_routes = false;  // its own, or below
  };
  Index child_of(Index parent, std::string_view segment);
  Index add(Index parent, std::string_view segment);
  void earn(Index node, RouteTexts& texts);
  void halve();
  [[nodiscard]] std::size_t places() const { return kMostNodes - nodes_.size() + free_.size(); }
  void make_room();
  std::uint64_t weigh(Index node, std::vector<std::uint64_t>& weights);
  void prune(Index node, std::uint64_t most_weight);
  void release(Index node);
  [[nodiscard]] std::string text_of(Index node) const;

  std::uint32_t limit_;
  std::uint32_t routes_ = 0;
  std::uint64_t requests_ = 0;   // of late
  std::uint64_t seen_ = 0;       // in all
  std::uint64_t room_from_ = 0;  // of seen_: not before
  std::vector<Node> nodes_;
  std::vector<Index> free_;  // of nodes_
};

}  // namespace exa
