// Headers of a scraper, which the endpoint negotiates by; and text of strangers for the terminal.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporters/console/safe_text.h"
#include "exporters/encoding/utf8.h"
#include "exporters/openmetrics/negotiation.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view header(reinterpret_cast<const char*>(bytes), size);
  exa::negotiate_format(header);
  exa::accepts_gzip(header);

  const std::string safe = exa::terminal_safe(header);
  if (!exa::is_valid_utf8(safe)) std::abort();
  for (const char c : safe)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) std::abort();
  if (exa::columns_of(exa::fitted(safe, 20)) > 20) std::abort();
  return 0;
}
