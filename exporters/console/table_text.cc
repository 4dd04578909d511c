#include "exporters/console/table_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <vector>

#include "exa/base/readable_duration.h"
#include "exa/base/utc.h"
#include "exporters/console/safe_text.h"
#include "exporters/console/table_columns.h"

namespace exa {
namespace {

constexpr const char* kBold = "\x1b[1m";
constexpr const char* kDim = "\x1b[2m";
constexpr const char* kRed = "\x1b[31m";
constexpr const char* kYellow = "\x1b[33m";
constexpr const char* kPlain = "\x1b[0m";

constexpr std::size_t kFewestLines = 10;  // a terminal that has fewer scrolls
// Heading, titles, lost, less known, why, rest, and the cursor's.
constexpr std::size_t kLinesAround = 7;
constexpr std::size_t kShortestPath = 12;  // what is left of one at least
constexpr std::size_t kTraceColumns = 40;  // "  trace  " and the id
constexpr const char* kIndent = "    ";
// What took less needs no reason.
constexpr std::uint64_t kWorthExplainingNs = 10'000'000;

template <typename... Values>
std::string formatted(const char* format, Values... values) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

std::string clock_text(WallTime time, const char* form) {
  return utc_text(static_cast<std::time_t>(time.ns / 1'000'000'000), form);
}

std::string time_of_day(WallTime time) {
  return clock_text(time, "%H:%M:%S") +
         formatted(".%03u", static_cast<unsigned>(time.ns / 1'000'000 % 1000));
}

std::string trace_text(TraceId id) {
  return "trace  " + to_hex(id);
}

// The exemplar that tells most beside the slowest request: a failed one, or where the slowest has
// no trace, any that has.
std::optional<Exemplar> telling(const WindowRow& row) {
  const auto rank = [&](const Exemplar& exemplar) {
    if (!exemplar.has_ids()) return 0;
    const bool slowest_has = row.slowest && row.slowest->trace_id.valid();
    if (slowest_has && row.slowest->trace_id == exemplar.trace_id) return 0;
    const int mine = importance(exemplar.reason);
    return slowest_has && mine <= importance(ExemplarReason::kSlowest) ? 0 : 1 + mine;
  };
  std::optional<Exemplar> best;
  for (const Exemplar& exemplar : row.exemplars) {
    const int mine = rank(exemplar);
    const int other = best ? rank(*best) : 0;
    if (mine > other || (mine != 0 && mine == other && exemplar.value > best->value))
      best = exemplar;
  }
  return best;
}

class TableWriter {
 public:
  TableWriter(const WindowView& window, const TableSettings& settings)
      : window_(window), settings_(settings) {
    seconds_ = window.end > window.start ? seconds_of(window.end.ns - window.start.ns) : 0;
  }

  std::string write() {
    heading();
    choose();
    std::vector<TableCells> cells;
    for (const Shown& one : shown_)
      cells.push_back(cells_of(*one.row, one.opens_service));
    const TableColumns columns(cells, settings_.columns);
    if (!cells.empty()) line(columns.titles(), kBold);
    for (std::size_t i = 0; i < cells.size(); ++i)
      row(columns, cells[i], *shown_[i].row);
    counters("lost in this window:", window_.losses);
    counters("degraded in this window:", window_.degraded);
    why_no_ids();
    rest();
    return std::move(text_);
  }

 private:
  struct Shown {
    const WindowRow* row;
    bool opens_service;
  };

  [[nodiscard]] std::size_t room() const {
    return settings_.columns == 0 ? std::string::npos : settings_.columns;
  }

  // Cut to the terminal, then painted.
  void line(const std::string& text, const char* colour) {
    const std::string cut = fitted(text, room());
    text_ += (settings_.colours && colour != nullptr ? colour + cut + kPlain : cut) + "\n";
  }

  void heading() {
    std::uint64_t requests = 0;
    std::uint64_t errors = 0;
    for (const ServiceRows& service : window_.services)
      for (const WindowRow& row : service.rows) {
        requests += row.count;
        errors += row.errors;
      }
    line(clock_text(window_.end, "%Y-%m-%d %H:%M:%SZ") + "  " + formatted("%.1f s", seconds_) +
             ", " + std::to_string(requests) + " requests, " + std::to_string(errors) + " errors",
         kBold);
  }

  // As many rows as were asked for, and as find room with the lines below them.
  void choose() {
    const bool bounded = settings_.lines >= kFewestLines;
    std::size_t left = bounded ? settings_.lines - kLinesAround : std::string::npos;
    bool full = false;
    for (const ServiceRows& service : window_.services) {
      bool opens = true;
      for (const WindowRow& row : service.rows) {
        const std::size_t takes = 1 + below(row).size();
        full = full || shown_.size() == settings_.rows || takes > left;
        if (full) {
          ++rows_left_;
          requests_left_ += row.count;
          services_left_ += opens ? 1 : 0;
          opens = false;
          continue;
        }
        left -= bounded ? takes : 0;
        shown_.push_back({&row, opens});
        opens = false;
      }
    }
  }

  [[nodiscard]] TableCells cells_of(const WindowRow& row, bool opens_service) const {
    const auto text = [](const std::string& value) {
      return value.empty() ? std::string("-") : terminal_safe(value);
    };
    const auto quantile = [&](double q) {
      const auto ns = quantile_ns(row, q);
      return ns ? readable_duration(*ns) : std::string("-");
    };
    return {opens_service ? text(row.service) : std::string(),
            row.side,
            text(row.method),
            text(row.status),
            seconds_ > 0 ? formatted("%.1f", static_cast<double>(row.count) / seconds_) : "-",
            quantile(0.5),
            quantile(0.9),
            quantile(0.99),
            readable_duration(row.max_ns),
            std::to_string(row.errors)};
  }

  void row(const TableColumns& columns, const TableCells& cells, const WindowRow& row) {
    std::string text;
    for (std::size_t c = 0; c < kTableColumns; ++c) {
      const auto column = static_cast<TableColumn>(c);
      const std::string cell = columns.cell(cells, column);
      const bool alarming = row.errors != 0 && column == TableColumn::kStatus;
      const bool names = column == TableColumn::kService;
      if (!settings_.colours || (!alarming && !names))
        text += cell;
      else
        text += (alarming ? kRed : kBold) + cell + kPlain;
    }
    text_ += text + "\n";
    for (const std::string& under : below(row))
      line(under, kDim);
  }

  // The slowest request, its trace, and that of a failed one; why it took so long, and longer than
  // others.
  [[nodiscard]] std::vector<std::string> below(const WindowRow& row) const {
    std::vector<std::string> lines;
    bool trace_told = false;
    if (row.slowest) lines.push_back(slowest_line(row, trace_told));
    std::vector<std::string> traces;
    if (row.slowest && row.slowest->trace_id.valid() && !trace_told)
      traces.push_back(trace_text(row.slowest->trace_id));
    if (const auto other = telling(row))
      traces.push_back(std::string(reason_text(other->reason)) + "  " +
                       readable_duration(other->value) + "  " + trace_text(other->trace_id));
    for (const std::string& trace : traces) {
      const bool fits =
          &trace != &traces.front() && columns_of(lines.back()) + 3 + columns_of(trace) <= room();
      if (fits)
        lines.back() += "   " + trace;
      else
        lines.push_back(kIndent + trace);
    }
    if (row.slowest && !row.slowest->why.empty() && row.max_ns >= kWorthExplainingNs)
      lines.push_back(std::string(kIndent) + "why      " + row.slowest->why);
    if (!row.growth.empty() && row.max_ns >= kWorthExplainingNs)
      lines.push_back(std::string(kIndent) + "slower   " + row.growth);
    return lines;
  }

  [[nodiscard]] std::string slowest_line(const WindowRow& row, bool& trace_told) const {
    const SlowestRequest& slowest = *row.slowest;
    std::string text = kIndent;
    text += "slowest  " + readable_duration(row.max_ns) + "  " + time_of_day(slowest.begin);
    if (!slowest.peer.empty())
      text += (row.side == "client" ? "  to " : "  from ") + terminal_safe(slowest.peer);
    std::string path = terminal_safe(slowest.path);
    const std::string route = terminal_safe(slowest.route);
    if (route != path && columns_of(text + path + route) + 5 <= room()) path += " (" + route + ")";
    if (!path.empty()) {
      const std::size_t taken = columns_of(text) + 2;
      text += "  " + fitted(path, std::max(room() - std::min(taken, room()), kShortestPath));
    }
    trace_told = slowest.trace_id.valid() && columns_of(text) + kTraceColumns + 1 <= room();
    return trace_told ? text + "  " + trace_text(slowest.trace_id) : text;
  }

  void counters(std::string text, const std::vector<CounterRow>& rows) {
    if (rows.empty()) return;
    for (const CounterRow& row : rows)
      text += (&row == &rows.front() ? " " : ", ") + terminal_safe(row.name) + " " +
              std::to_string(row.count);
    line(text, kYellow);
  }

  // Somebody who looks for the trace of the slowest request is told what is missing.
  void why_no_ids() {
    if (shown_.empty()) return;
    for (const ServiceRows& service : window_.services)
      for (const WindowRow& row : service.rows)
        if (std::ranges::any_of(row.exemplars, &Exemplar::has_ids) ||
            (row.slowest && row.slowest->trace_id.valid()))
          return;
    line(settings_.spans_exported
             ? "no exemplars: the trace backend acknowledged none of this window's spans"
             : "no exemplars: spans not exported, no caller sampled; set --otlp-endpoint URL",
         kYellow);
  }

  void rest() {
    if (rows_left_ == 0) return;
    line("... " + std::to_string(rows_left_) + " more rows with " + std::to_string(requests_left_) +
             " requests" +
             (services_left_ == 0 ? std::string()
                                  : ", of " + std::to_string(services_left_) + " more services"),
         nullptr);
  }

  const WindowView& window_;
  const TableSettings& settings_;
  double seconds_ = 0;
  std::string text_;
  std::vector<Shown> shown_;
  std::size_t rows_left_ = 0;
  std::uint64_t requests_left_ = 0;
  std::size_t services_left_ = 0;
};

}  // namespace

std::string table_text(const WindowView& window, const TableSettings& settings) {
  return TableWriter(window, settings).write();
}

}  // namespace exa
