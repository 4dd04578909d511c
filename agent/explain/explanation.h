// What explains one window: which operations were slow or slower than usual, where their time went,
// and which errors there were. A value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "exa/base/time.h"
#include "exa/model/exchange.h"
#include "exa/model/metric.h"
#include "exa/model/trace_context.h"

namespace exa {

// All series of one service, end and operation.
struct ExplainedOperation {
  std::string service;
  Role end = Role::kServer;
  std::string operation;  // "GET 200"; of a client with the server that it asks
};

struct SlowOperation : ExplainedOperation {
  std::uint64_t requests = 0;
  double mean_s = 0;
  std::optional<double> usual_s;  // the mean of windows before; none: there are too few yet
  double p99_s = 0;               // linear within a bucket of its histogram
  double max_s = 0;
  double lost_s = 0;  // what all requests together took longer than usual, or the slow than others
  std::string than_usual;   // "78 % of the difference ..."; empty: not slower, or not known
  std::string than_others;  // of the slowest percent; likewise
  std::optional<SlowestRequest> slowest;
  double slowest_s = 0;
};

struct FailingOperation : ExplainedOperation {
  std::uint64_t failed = 0;
  std::uint64_t requests = 0;  // of that service at that end, failed or not
  WallTime since;              // the start of the first of the windows in a row that had it
  std::optional<SlowestRequest> example;
};

struct Explanation {
  WallTime start;
  WallTime end;
  std::vector<SlowOperation> slow;        // what lost the most time first
  std::vector<FailingOperation> failing;  // the most frequent first
  std::size_t slow_left_out = 0;
  std::size_t failing_left_out = 0;
};

}  // namespace exa
