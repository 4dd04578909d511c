#include "agent/routes/route_learner.h"

#include <algorithm>

#include "agent/model/route_settings.h"
#include "agent/routes/route_pattern.h"

namespace exa {
namespace {

constexpr std::string_view kAnyName = "{name}";

}  // namespace

const std::string* RouteLearner::see(std::string_view templated) {
  ++requests_;
  if (templated.empty() || templated.front() != '/') return nullptr;
  Index at = 0;
  while (!templated.empty()) {
    const auto [segment, rest] = first_segment(templated);
    at = child_of(at, segment);
    if (at == kNone) return nullptr;
    templated = rest;
  }
  auto& node = nodes_[at];
  ++node.requests;
  if (node.route != nullptr) return node.route;
  if (node.requests < kFewestRequests || node.requests * kSmallestShare < requests_ ||
      routes_.size() >= limit_)
    return nullptr;
  auto text = text_of(at);
  if (text.size() > kMostRouteBytes) return nullptr;
  node.route = &routes_.emplace_back(std::move(text));
  return node.route;
}

RouteLearner::Index RouteLearner::child_of(Index parent, std::string_view segment) {
  const auto named = [this](std::string_view name) {
    return [this, name](Index child) { return nodes_[child].segment == name; };
  };
  const auto& words = nodes_[parent].words;
  if (const auto known = std::ranges::find_if(words, named(segment)); known != words.end())
    return *known;
  // What was told as a placeholder stays one of its own: /users/{id} beside /users/{name}.
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
  // Words that have earned a route of their own keep it: /users/login beside /users/{name}.
  std::erase_if(nodes_[parent].words, [this](Index word) {
    return !is_placeholder(nodes_[word].segment) && nodes_[word].route == nullptr;
  });
  nodes_[parent].placeholder = child;
  return child;
}

RouteLearner::Index RouteLearner::add(Index parent, std::string_view segment) {
  if (nodes_.size() >= kMostNodes) return kNone;
  nodes_.push_back({.segment = std::string(segment),
                    .parent = parent,
                    .words = {},
                    .placeholder = kNone,
                    .requests = 0,
                    .route = nullptr});
  return static_cast<Index>(nodes_.size() - 1);
}

std::string RouteLearner::text_of(Index node) const {
  std::string text;
  for (; node != 0; node = nodes_[node].parent)
    text.insert(0, "/" + nodes_[node].segment);
  return text;
}

}  // namespace exa
