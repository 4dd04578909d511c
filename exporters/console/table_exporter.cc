#include "exporters/console/table_exporter.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <vector>

#include "exporters/console/safe_text.h"

namespace exa {
namespace {

struct Column {
  const char* title;
  std::size_t least;
  std::size_t most;
  bool right;
};
constexpr std::array<Column, 10> kColumns = {{
    {"SERVICE", 10, 28, false},
    {"SIDE", 6, 6, false},
    {"METHOD", 6, 24, false},
    {"STATUS", 6, 18, false},
    {"RATE/S", 9, 10, true},
    {"P50", 8, 9, true},
    {"P90", 8, 9, true},
    {"P99", 8, 9, true},
    {"MAX", 8, 9, true},
    {"ERRORS", 6, 12, true},
}};
constexpr std::size_t kStatusColumn = 3;
using Cells = std::array<std::string, kColumns.size()>;

constexpr const char* kBold = "\x1b[1m";
constexpr const char* kDim = "\x1b[2m";
constexpr const char* kRed = "\x1b[31m";
constexpr const char* kYellow = "\x1b[33m";
constexpr const char* kPlain = "\x1b[0m";

template <typename... Values>
std::string formatted(const char* format, Values... values) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

// Three digits that count, in the unit that suits.
std::string duration_text(double seconds) {
  if (seconds < 1e-3) return formatted("%.0f us", seconds * 1e6);
  if (seconds < 10e-3) return formatted("%.2f ms", seconds * 1e3);
  if (seconds < 100e-3) return formatted("%.1f ms", seconds * 1e3);
  if (seconds < 1) return formatted("%.0f ms", seconds * 1e3);
  return formatted(seconds < 100 ? "%.2f s" : "%.0f s", seconds);
}

std::string clock_text(WallTime time) {
  const auto seconds = static_cast<std::time_t>(time.ns / 1'000'000'000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> text;
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%SZ", &utc);
  return text.data();
}

double window_seconds(const WindowDelta& window) {
  return window.end > window.start ? static_cast<double>(window.end.ns - window.start.ns) / 1e9 : 0;
}

std::string padded(const std::string& text, std::size_t columns, bool right) {
  const std::size_t width = columns_of(text);
  const std::string blank(width < columns ? columns - width : 0, ' ');
  return right ? blank + text : text + blank;
}

Cells cells_of(const DeltaRow& row, double seconds) {
  const auto text = [](const std::string& value, std::size_t column) {
    return fitted(value.empty() ? "-" : terminal_safe(value), kColumns[column].most);
  };
  return {text(row.service, 0),
          text(row.side, 1),
          text(row.method, 2),
          text(row.status, 3),
          seconds > 0 ? formatted("%.1f", static_cast<double>(row.count) / seconds) : "-",
          duration_text(estimate_quantile(row, 0.5)),
          duration_text(estimate_quantile(row, 0.9)),
          duration_text(estimate_quantile(row, 0.99)),
          duration_text(row.highest_seconds),
          std::to_string(row.errors)};
}

class Paint {
 public:
  explicit Paint(bool wanted) : wanted_(wanted) {}
  [[nodiscard]] std::string operator()(const char* colour, const std::string& text) const {
    return wanted_ ? colour + text + kPlain : text;
  }

 private:
  bool wanted_;
};

// Most telling first, each trace once.
std::vector<Exemplar> telling(const DeltaRow& row, std::size_t most) {
  std::vector<Exemplar> best;
  for (const Exemplar& exemplar : row.exemplars)
    if (exemplar.has_ids()) best.push_back(exemplar);
  const auto rank = [](const Exemplar& exemplar) {
    switch (exemplar.reason) {
      case ExemplarReason::kSlowest:
        return 0;
      case ExemplarReason::kError:
        return 1;
      case ExemplarReason::kPolicy:
        return 2;
      default:
        return 3;
    }
  };
  std::stable_sort(best.begin(), best.end(), [&](const Exemplar& a, const Exemplar& b) {
    return rank(a) != rank(b) ? rank(a) < rank(b) : a.value > b.value;
  });
  std::vector<Exemplar> chosen;
  for (const Exemplar& exemplar : best) {
    const bool known = std::any_of(chosen.begin(), chosen.end(), [&](const Exemplar& other) {
      return other.trace_id == exemplar.trace_id;
    });
    if (!known && chosen.size() < most) chosen.push_back(exemplar);
  }
  return chosen;
}

std::string exemplar_line(const DeltaRow& row, const TableSettings& settings, const Paint& paint) {
  std::string line;
  for (const Exemplar& exemplar : telling(row, settings.exemplars_of_row)) {
    line += line.empty() ? "    " : "   ";
    line += padded(reason_text(exemplar.reason), 7, false) + " " +
            padded(duration_text(exemplar.value), 8, true) + "  " + to_hex(exemplar.trace_id);
  }
  return line.empty() ? line : paint(kDim, line) + "\n";
}

std::string heading(const WindowDelta& window, double seconds, const Paint& paint) {
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  for (const DeltaRow& row : window.rows) {
    requests += row.count;
    errors += row.errors;
  }
  return paint(kBold, clock_text(window.end)) + "  " + formatted("%.1f s", seconds) + ", " +
         std::to_string(requests) + " requests, " + std::to_string(errors) + " errors\n";
}

std::string rest_line(const WindowDelta& window, std::size_t shown) {
  std::uint64_t requests = 0;
  for (std::size_t i = shown; i < window.rows.size(); ++i)
    requests += window.rows[i].count;
  return "and " + std::to_string(window.rows.size() - shown) + " more rows with " +
         std::to_string(requests) + " requests\n";
}

std::string loss_line(const WindowDelta& window) {
  std::string line = "lost in this window:";
  for (const LossRow& loss : window.losses)
    line += (&loss == &window.losses.front() ? " " : ", ") + terminal_safe(loss.name) + " " +
            std::to_string(loss.count);
  return line;
}

}  // namespace

std::string table_text(const WindowDelta& window, const TableSettings& settings) {
  const Paint paint(settings.colours);
  const double seconds = window_seconds(window);
  std::string text = heading(window, seconds, paint);

  const std::size_t shown = std::min(settings.rows, window.rows.size());
  std::vector<Cells> rows;
  std::array<std::size_t, kColumns.size()> widths{};
  for (std::size_t c = 0; c < kColumns.size(); ++c)
    widths[c] = kColumns[c].least;
  for (std::size_t r = 0; r < shown; ++r) {
    rows.push_back(cells_of(window.rows[r], seconds));
    for (std::size_t c = 0; c < kColumns.size(); ++c)
      widths[c] = std::max(widths[c], columns_of(rows.back()[c]));
  }
  if (shown != 0) {
    std::string titles;
    for (std::size_t c = 0; c < kColumns.size(); ++c)
      titles += (c == 0 ? "" : "  ") + padded(kColumns[c].title, widths[c], kColumns[c].right);
    text += paint(kBold, titles) + "\n";
  }
  for (std::size_t r = 0; r < shown; ++r) {
    for (std::size_t c = 0; c < kColumns.size(); ++c) {
      const std::string cell = padded(rows[r][c], widths[c], kColumns[c].right);
      const bool alarming = window.rows[r].errors != 0 && c == kStatusColumn;
      text += (c == 0 ? "" : "  ") + (alarming ? paint(kRed, cell) : cell);
    }
    text += '\n';
    text += exemplar_line(window.rows[r], settings, paint);
  }
  if (shown < window.rows.size()) text += rest_line(window, shown);
  if (!window.losses.empty()) text += paint(kYellow, loss_line(window)) + "\n";
  return text + "\n";
}

void TableExporter::export_metrics(std::shared_ptr<const MetricBatch> batch) {
  output_->write(table_text(deltas_.advance(*batch), settings_));
}

}  // namespace exa
