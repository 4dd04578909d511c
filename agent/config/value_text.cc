#include "agent/config/value_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include "exa/base/percent.h"
#include "exa/base/take_until.h"
#include "exa/base/whitespace.h"

namespace exa {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array<Unit, 6> kTimeUnits = {{{"ns", 1},
                                             {"us", 1'000},
                                             {"ms", 1'000'000},
                                             {"s", 1'000'000'000},
                                             {"m", 60'000'000'000},
                                             {"h", 3'600'000'000'000}}};
constexpr std::array<Unit, 4> kSizeUnits = {
    {{"B", 1}, {"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}}};

std::string quoted(std::string_view text) {
  std::string quotation("'");
  return quotation.append(text.substr(0, 80)).append(text.size() > 80 ? "...'" : "'");
}

// Digits, an optional fraction, a unit. The fraction must come out whole in the base unit.
template <std::size_t N>
Result<std::uint64_t> parse_with_unit(std::string_view text, const std::array<Unit, N>& units,
                                      const std::string& expected) {
  const auto refused = [&] { return fail(quoted(text) + " is not " + expected); };
  const auto end_of_number = text.find_first_not_of("0123456789.");
  if (end_of_number == 0 || end_of_number == std::string_view::npos) return refused();
  const auto unit = std::ranges::find(units, text.substr(end_of_number), &Unit::name);
  if (unit == units.end()) return refused();
  double number = 0;
  const auto digits = text.substr(0, end_of_number);
  const auto* const begin = digits.data();
  const auto* const end = begin + digits.size();
  const auto parsed = std::from_chars(begin, end, number, std::chars_format::fixed);
  if (parsed.ec != std::errc() || parsed.ptr != end) return refused();
  const double value = number * static_cast<double>(unit->factor);
  constexpr auto kLargest = std::numeric_limits<std::int64_t>::max() / 2;
  if (!(value <= static_cast<double>(kLargest))) return refused();
  return static_cast<std::uint64_t>(std::llround(value));
}

template <std::size_t N>
std::string with_unit(std::uint64_t value, const std::array<Unit, N>& units) {
  for (auto unit = units.rbegin(); unit != units.rend(); ++unit)
    if (value % unit->factor == 0 && (value != 0 || unit->factor == 1))
      return std::to_string(value / unit->factor) + std::string(unit->name);
  return std::to_string(value);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substitution = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substitution});
    }
  }
  return row.back();
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const auto ns =
      parse_with_unit(text, kTimeUnits, "a duration with its unit, such as 10s or 500ms");
  if (!ns) return std::unexpected(ns.error());
  return Duration(static_cast<std::int64_t>(*ns));
}

Result<std::uint64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, kSizeUnits, "a size with its unit, such as 4096B or 8MiB");
}

Result<std::uint64_t> parse_count(std::string_view text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || text.empty() ||
      value < least || value > most)
    return fail(quoted(text) + " is not a whole number from " + std::to_string(least) + " to " +
                std::to_string(most));
  return value;
}

Result<double> parse_ratio(std::string_view text) {
  const bool percent = text.ends_with('%');
  const auto digits = percent ? text.substr(0, text.size() - 1) : text;
  double value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (percent) value /= 100;
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || digits.empty() ||
      !(value >= 0 && value <= 1))
    return fail(quoted(text) + " is not a share from 0 to 1, such as 0.005 or 0.5%");
  return value;
}

Result<bool> parse_bool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return fail(quoted(text) + " is neither true nor false");
}

Result<std::string> parse_url(std::string_view text) {
  const auto expected = [&](const char* reason) {
    return fail(quoted(text) + " is not a URL such as http://localhost:4318: " + reason);
  };
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return expected("no http:// or https://");
  if (const auto scheme = text.substr(0, scheme_end); scheme != "http" && scheme != "https")
    return expected("the scheme is neither http nor https");
  const auto rest = text.substr(scheme_end + 3);
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.empty() || authority.front() == ':') return expected("no host");
  if (authority.find('@') != std::string_view::npos)
    return fail("a URL with a user name or password is refused; put credentials in headers");
  if (text.size() > 2048) return expected("too long");
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f)
      return expected("spaces and bytes outside ASCII are not allowed");
  return std::string(text);
}

Result<std::pair<std::string, std::uint16_t>> parse_host_port(std::string_view text) {
  const auto refused = [&] {
    return fail(quoted(text) + " is not HOST:PORT, such as 127.0.0.1:9464 or [::1]:9464");
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return refused();
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return refused();
  const auto port = parse_count(text.substr(colon + 1), 0, 65535);
  if (host.empty() || !port) return refused();
  return std::pair(std::string(host), static_cast<std::uint16_t>(*port));
}

std::string duration_text(Duration duration) {
  return with_unit(static_cast<std::uint64_t>(duration.count()), kTimeUnits);
}
std::string size_text(std::uint64_t size_bytes) {
  return with_unit(size_bytes, kSizeUnits);
}

std::string decimal_text(double number) {
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

std::vector<std::pair<std::string, std::string>> parse_pairs(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!text.empty()) {
    const auto member = take_until(text, ',');
    const auto equals = member.find('=');
    if (equals == std::string_view::npos) continue;
    const auto key = trimmed(member.substr(0, equals));
    if (!key.empty())
      pairs.emplace_back(percent_decoded(key), percent_decoded(trimmed(member.substr(equals + 1))));
  }
  return pairs;
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  if (word.size() > 64) return best;
  for (const auto candidate : candidates) {
    const auto distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace exa
