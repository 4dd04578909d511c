// What happened within one window, from cumulative points: the difference to the batch before.
// Window thread only. Holds the counts of every series of the last batch and forgets the others.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "exa/model/metric.h"

namespace exa {

// One line of the table: all series that share service, side, method, status and bounds.
struct DeltaRow {
  std::string service;
  std::string side;  // "server" or "client"
  std::string method;
  std::string status;  // status code, or the error type where there is none
  std::uint64_t count = 0;
  std::uint64_t errors = 0;
  double sum_seconds = 0;
  double lowest_seconds = 0;  // bounds of what the window's durations can be, for the quantiles
  double highest_seconds = 0;
  std::vector<std::uint64_t> buckets;
  std::shared_ptr<const std::vector<double>> bounds;
  std::vector<Exemplar> exemplars;
};

struct LossRow {
  std::string name;  // "records_dropped{malformed}"
  std::uint64_t count = 0;
};

struct WindowDelta {
  WallTime start;
  WallTime end;
  std::vector<DeltaRow> rows;   // by total time, largest first
  std::vector<LossRow> losses;  // counters of losses that rose, by name
};

// Estimate of quantile q (0..1) in seconds. With rank = q * count, in the first bucket whose
// cumulative count reaches rank, linear between its bounds:
//   lower + (upper - lower) * (rank - counted below) / (count of the bucket)
// where lower is at least lowest_seconds and upper at most highest_seconds. Zero without requests.
double estimate_quantile(const DeltaRow& row, double q);

class DeltaTracker {
 public:
  WindowDelta advance(const MetricBatch& batch);

 private:
  struct Previous {
    WallTime start;
    std::uint64_t count = 0;
    double sum = 0;
    std::vector<std::uint64_t> buckets;
  };
  std::unordered_map<std::string, Previous> histograms_;
  std::unordered_map<std::string, std::uint64_t> counters_;
};

}  // namespace exa
