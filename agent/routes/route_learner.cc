#include "agent/routes/route_learner.h"

#include <algorithm>

#include "agent/model/route_settings.h"
#include "agent/routes/route_pattern.h"
#include "agent/semantics/path_template.h"

namespace exa {
namespace {

constexpr std::string_view kAnyName = "{name}";
constexpr std::size_t kMostSegments = kMaxTemplateSegments + 1;  // the last one is {rest}
// Requests between two attempts to make room: it costs a look at every node.
constexpr std::uint64_t kRoomEvery = 64;

}  // namespace

const std::string* RouteLearner::see(std::string_view templated, RouteTexts& texts) {
  ++requests_;
  if (++seen_ % kHalvedEvery == 0) halve();
  if (templated.empty() || templated.front() != '/') return nullptr;
  // Before the way down, whose nodes must stay.
  if (places() < kMostSegments && routes_ < limit_ && seen_ >= room_from_) make_room();
  Index at = 0;
  while (!templated.empty()) {
    const auto [segment, rest] = first_segment(templated);
    at = child_of(at, segment);
    if (at == kNone) return nullptr;
    templated = rest;
  }
  auto& node = nodes_[at];
  ++node.requests;
  if (node.route == nullptr && node.requests >= kFewestRequests &&
      node.requests * kSmallestShare >= requests_ && routes_ < limit_)
    earn(at, texts);
  return node.route;
}

void RouteLearner::earn(Index at, RouteTexts& texts) {
  auto& node = nodes_[at];
  auto text = text_of(at);
  if (text.size() <= kMostRouteBytes) node.route = texts.keep(std::move(text));
  if (node.route == nullptr) {
    node.requests = 0;  // not to try again with each request
    return;
  }
  ++routes_;
  for (; at != 0; at = nodes_[at].parent)
    nodes_[at].has_routes = true;
}

void RouteLearner::halve() {
  requests_ /= 2;
  for (auto& node : nodes_)
    node.requests /= 2;
}

RouteLearner::Index RouteLearner::child_of(Index parent, std::string_view segment) {
  const auto named = [this](std::string_view name) {
    return [this, name](Index child) { return nodes_[child].segment == name; };
  };
  const auto& words = nodes_[parent].words;
  if (const auto known = std::ranges::find_if(words, named(segment)); known != words.end())
    return *known;
  // What was told as a placeholder stays one of its own: /users/{id} beside /users/{name}. There
  // are few of them, and none that a client makes up: path_template() leaves no braces in words.
  if (is_placeholder(segment)) {
    const auto child = add(parent, segment);
    if (child != kNone) nodes_[parent].words.push_back(child);
    return child;
  }
  if (nodes_[parent].placeholder != kNone) return nodes_[parent].placeholder;
  const auto of_words = static_cast<std::size_t>(std::ranges::count_if(
      words, [this](Index child) { return !is_placeholder(nodes_[child].segment); }));
  const bool too_many = parent != 0 && of_words >= kMostSiblings;
  const auto child = add(parent, too_many ? kAnyName : segment);
  if (child == kNone) return kNone;
  if (!too_many) {
    nodes_[parent].words.push_back(child);
    return child;
  }
  // Words that have earned a route of their own keep it, as /users/login beside /users/{name}, and
  // so do those that lead to one.
  std::erase_if(nodes_[parent].words, [this](Index word) {
    const bool gone = !is_placeholder(nodes_[word].segment) && !nodes_[word].has_routes;
    if (gone) release(word);
    return gone;
  });
  nodes_[parent].placeholder = child;
  return child;
}

RouteLearner::Index RouteLearner::add(Index parent, std::string_view segment) {
  if (places() == 0) return kNone;
  auto index = static_cast<Index>(nodes_.size());
  if (free_.empty()) {
    nodes_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  nodes_[index].segment.assign(segment);
  nodes_[index].parent = parent;
  return index;
}

// A scanner's paths must not be the last thing that a service ever had a place for: those that were
// asked for least go, at least a quarter of those without a route, so that this is seldom needed.
void RouteLearner::make_room() {
  room_from_ = seen_ + kRoomEvery;
  std::vector<std::uint64_t> weights;
  weigh(0, weights);
  if (weights.empty()) return;
  const auto quarter = weights.begin() + static_cast<std::ptrdiff_t>(weights.size() / 4);
  std::ranges::nth_element(weights, quarter);
  prune(0, *quarter);
}

// weights: those of all nodes below that lead to no route.
std::uint64_t RouteLearner::weigh(Index at, std::vector<std::uint64_t>& weights) {
  auto& node = nodes_[at];
  node.weight = node.requests;
  for (const auto child : node.words)
    node.weight += weigh(child, weights);
  if (node.placeholder != kNone) node.weight += weigh(node.placeholder, weights);
  if (at != 0 && !node.has_routes) weights.push_back(node.weight);
  return node.weight;
}

void RouteLearner::prune(Index at, std::uint64_t most_weight) {
  const auto drop = [&](Index child) {
    const bool gone = !nodes_[child].has_routes && nodes_[child].weight <= most_weight;
    if (gone)
      release(child);
    else
      prune(child, most_weight);
    return gone;
  };
  auto& node = nodes_[at];
  std::erase_if(node.words, drop);
  if (node.placeholder != kNone && drop(node.placeholder)) node.placeholder = kNone;
}

// With all that is below.
void RouteLearner::release(Index at) {
  auto& node = nodes_[at];
  for (const auto child : node.words)
    release(child);
  if (node.placeholder != kNone) release(node.placeholder);
  node = {};
  free_.push_back(at);
}

std::string RouteLearner::text_of(Index node) const {
  std::string text;
  for (; node != 0; node = nodes_[node].parent)
    text.insert(0, "/" + nodes_[node].segment);
  return text;
}

}  // namespace exa
