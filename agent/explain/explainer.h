// Explains each window by what it counted and by what was usual before.
//
// Window thread only, owned by the pipeline. Remembers at most kMaxOperations for as long as they
// have requests now and then; others are left out.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "agent/explain/explanation.h"
#include "agent/metrics/distribution.h"
#include "agent/request_pipeline/closed_window.h"
#include "agent/why/account_sum.h"
#include "agent/why/growth.h"

namespace exa {

class Explainer {
 public:
  static constexpr std::size_t kMaxOperations = 4096;
  static constexpr std::size_t kMostTold = 20;           // of the slow, and of the failing
  static constexpr std::uint32_t kForgottenAfter = 360;  // windows without a request

  // stored: by place in the window's spans, whether it is for certain.
  [[nodiscard]] Explanation explain(const ClosedWindow& window, const std::vector<bool>& stored);

 private:
  struct Operation;
  using Identity = std::tuple<std::string, Role, std::string>;  // of an ExplainedOperation

  Operation* operation_of(const WindowSeries& series, const ClosedWindow& window);
  void count(const ClosedWindow& window, const std::vector<bool>& stored);
  void forget_passed();

  std::map<Identity, Operation> operations_;
  std::unordered_map<SeriesUid, Operation*> by_series_;  // null: there was no place for it yet
  std::unordered_map<SeriesUid, Identity> waiting_;      // of those without a place
  std::map<std::pair<std::string, Role>, std::uint64_t> requests_;  // of this window
  std::size_t not_compared_ = 0;  // series of this window for which there was no place
  std::uint64_t window_ = 0;      // by number
};

struct Explainer::Operation {
  // Of the window that is explained.
  Distribution delta;
  std::array<AccountSum, kMaxBuckets> by_bucket{};
  std::optional<SlowestRequest> slowest;
  std::uint64_t slowest_ns = 0;
  std::optional<SlowestRequest> example;  // of the failed
  // Of the windows before it.
  MeanTime usual;
  std::uint64_t windows = 0;
  WallTime since;  // the start of the first of the windows in a row that counted it
  // Of both.
  std::uint64_t last_window = 0;
  MetricKind kind = MetricKind::kServerDuration;
  bool is_error = false;
};

}  // namespace exa
