// What stands where the prober writes its status, shown on a terminal.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/commands/status/status_table.h"
#include "exporters/encoding/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto table = exa::status_table({reinterpret_cast<const char*>(bytes), size});
  if (!table) return 0;
  if (!exa::is_valid_utf8(*table) || !table->ends_with('\n')) std::abort();
  for (std::size_t i = 0; i < table->size(); ++i) {
    const auto byte = static_cast<unsigned char>((*table)[i]);
    if ((byte < 0x20 && byte != '\n') || byte == 0x7f) std::abort();
    // U+0080 to U+009F move cursors too.
    if (byte == 0xc2 && static_cast<unsigned char>((*table)[i + 1]) < 0xa0) std::abort();
  }
  return 0;
}
