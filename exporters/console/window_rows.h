// What happened within one window, as the table shows it: rows by service, side, method and
// status, and what was lost.
// Window thread only. Holds the counters of losses of the last batch and forgets the others.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "exa/model/metric.h"

namespace exa {

// All series that share service, side, method and status.
struct WindowRow {
  std::string service;
  std::string side;  // "server" or "client"
  std::string method;
  std::string status;  // or what went wrong where there is none
  std::uint64_t count = 0;
  std::uint64_t errors = 0;
  std::uint64_t sum_ns = 0;
  std::uint64_t min_ns = 0;
  std::uint64_t max_ns = 0;
  std::vector<DurationCell> cells;        // empty: not kept of every series
  std::optional<SlowestRequest> slowest;  // it took max_ns
  std::string growth;                     // of the series that it is of, see WindowShare
  std::vector<Exemplar> exemplars;
};

struct ServiceRows {
  std::string service;
  std::uint64_t sum_ns = 0;
  std::vector<WindowRow> rows;
};

struct CounterRow {
  std::string name;  // "records_dropped{malformed}"
  std::uint64_t count = 0;
};

enum class RowOrder : std::uint8_t { kTime, kRate, kErrors, kP99, kMax, kName };

struct WindowView {
  WallTime start;
  WallTime end;
  std::vector<ServiceRows> services;  // in the order asked for, as are the rows of each
  std::vector<CounterRow> losses;     // counters of this kind that rose, by name
  std::vector<CounterRow> degraded;   // likewise
};

// The duration that a share q (0..1) of the row's requests did not exceed, at most 1/32 of it away
// from the real one; none where the row's durations are not kept.
std::optional<std::uint64_t> quantile_ns(const WindowRow& row, double q);

class WindowReader {
 public:
  WindowView read(const MetricBatch& batch, RowOrder order);

 private:
  std::unordered_map<std::string, std::uint64_t> counters_;
};

}  // namespace exa
