// What a scraper accepts, from its request headers. Pure: hostile bytes in, a choice out.
#pragma once

#include <cstdint>
#include <string_view>

namespace exa {

enum class ScrapeFormat : std::uint8_t { kText, kOpenMetrics };

// OpenMetrics 1.0 if Accept names it with a q no lower than the text format's; else text 0.0.4,
// which is also the answer to no Accept, and to one that nothing satisfies.
ScrapeFormat negotiate_format(std::string_view accept);

// Accept-Encoding takes gzip, by name or by "*", with q above 0.
bool accepts_gzip(std::string_view accept_encoding);

constexpr const char* content_type(ScrapeFormat format) {
  return format == ScrapeFormat::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace exa
