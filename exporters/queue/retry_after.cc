#include "exporters/queue/retry_after.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "exa/base/ascii.h"

namespace exa {
namespace {

using Seconds = std::chrono::seconds;

// Reads a date from left to right; any mismatch makes it fail for good.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : rest_(text) {}

  void literal(std::string_view expected) {
    if (!rest_.starts_with(expected)) return spoil();
    rest_.remove_prefix(expected.size());
  }
  int digits(std::size_t count) {
    if (rest_.size() < count) return spoil(), 0;
    int value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (!is_digit(c)) return spoil(), 0;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  unsigned month() {
    static constexpr std::array<std::string_view, 12> kMonths = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto found = std::find(kMonths.begin(), kMonths.end(), rest_.substr(0, 3));
    if (found == kMonths.end()) return spoil(), 0;
    rest_.remove_prefix(3);
    return static_cast<unsigned>(found - kMonths.begin()) + 1;
  }
  Seconds clock() {
    const int hour = digits(2);
    literal(":");
    const int minute = digits(2);
    literal(":");
    const int second = digits(2);
    if (hour > 23 || minute > 59 || second > 60) spoil();
    return Seconds(hour * 3600 + minute * 60 + second);
  }
  bool skip(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] bool whole() const { return !spoilt_ && rest_.empty(); }

 private:
  void spoil() { spoilt_ = true; }
  std::string_view rest_;
  bool spoilt_ = false;
};

// Seconds since the epoch; nullopt for anything but the three forms of RFC 9110 section 5.6.7.
std::optional<Seconds> parse_http_date(std::string_view text, WallTime now) {
  static constexpr std::array<std::string_view, 7> kDays = {
      "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
  const auto day_name = std::find_if(kDays.begin(), kDays.end(), [&](std::string_view name) {
    return text.substr(0, 3) == name.substr(0, 3);
  });
  if (day_name == kDays.end()) return std::nullopt;

  int year = 0;
  unsigned month = 0;
  int day = 0;
  Seconds clock{0};
  DateReader reader(text);
  if (text.size() > 3 && text[3] == ',') {
    reader.literal(day_name->substr(0, 3));
    reader.literal(", ");
    day = reader.digits(2);
    reader.literal(" ");
    month = reader.month();
    reader.literal(" ");
    year = reader.digits(4);
    reader.literal(" ");
    clock = reader.clock();
    reader.literal(" GMT");
  } else if (text.find(',') != std::string_view::npos) {
    reader.literal(*day_name);
    reader.literal(", ");
    day = reader.digits(2);
    reader.literal("-");
    month = reader.month();
    reader.literal("-");
    year = reader.digits(2);
    reader.literal(" ");
    clock = reader.clock();
    reader.literal(" GMT");
    // A two-digit year that seems more than 50 years ahead means the past century.
    const auto today = std::chrono::floor<std::chrono::days>(
        std::chrono::sys_seconds(Seconds(static_cast<std::int64_t>(now.ns / 1'000'000'000))));
    const int this_year = static_cast<int>(std::chrono::year_month_day(today).year());
    year += this_year - this_year % 100;
    if (year > this_year + 50) year -= 100;
  } else {
    reader.literal(day_name->substr(0, 3));
    reader.literal(" ");
    month = reader.month();
    reader.literal(" ");
    day = reader.skip(' ') ? reader.digits(1) : reader.digits(2);
    reader.literal(" ");
    clock = reader.clock();
    reader.literal(" ");
    year = reader.digits(4);
  }
  const auto date = std::chrono::year(year) / static_cast<int>(month) / day;
  if (!reader.whole() || !date.ok()) return std::nullopt;
  return Seconds(std::chrono::sys_days(date).time_since_epoch()) + clock;
}

}  // namespace

std::optional<Seconds> parse_retry_after(std::string_view value, WallTime now) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!value.empty() && blank(value.front()))
    value.remove_prefix(1);
  while (!value.empty() && blank(value.back()))
    value.remove_suffix(1);
  if (value.empty()) return std::nullopt;

  if (std::all_of(value.begin(), value.end(), is_digit)) {
    std::int64_t total = 0;
    for (const char c : value)
      total = std::min<std::int64_t>(total * 10 + (c - '0'), kLongestRetryAfter.count());
    return Seconds(total);
  }
  const auto date = parse_http_date(value, now);
  if (!date) return std::nullopt;
  const Seconds current(static_cast<std::int64_t>(now.ns / 1'000'000'000));
  return std::clamp(*date - current, Seconds(0), kLongestRetryAfter);
}

}  // namespace exa
