// Values of settings as text and back: units are part of the text (10s, 500ms, 8MiB, 0.5%).
// Pure. Every error says what was expected.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exa/base/result.h"
#include "exa/base/time.h"

namespace exa {

Result<Duration> parse_duration(std::string_view text);   // ns us ms s m h
Result<std::uint64_t> parse_size(std::string_view text);  // B KiB MiB GiB
Result<std::uint64_t> parse_count(std::string_view text, std::uint64_t least, std::uint64_t most);
Result<double> parse_ratio(std::string_view text);     // 0..1, or 0%..100%
Result<bool> parse_bool(std::string_view text);        // true, false
Result<std::string> parse_url(std::string_view text);  // http:// or https://
Result<std::pair<std::string, std::uint16_t>> parse_host_port(std::string_view text);

std::string duration_text(Duration duration);
std::string size_text(std::uint64_t size_bytes);
std::string decimal_text(double number);

// "key1=value1,key2=value2" of the OpenTelemetry environment, values percent-decoded; pairs without
// a key or '=' are left out.
std::vector<std::pair<std::string, std::string>> parse_pairs(std::string_view text);

// The candidate nearest to word, empty if none is near enough to be what was meant.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace exa
