// What stands where the running agent tells its status and its explanation, shown on a terminal.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/commands/explain/explanation_text.h"
#include "agent/commands/status/status_services.h"
#include "agent/commands/status/status_table.h"
#include "exporters/encoding/utf8.h"

namespace {

void require_printable(const exa::Result<std::string>& text) {
  if (!text) return;
  if (!exa::is_valid_utf8(*text) || !text->ends_with('\n')) std::abort();
  for (std::size_t i = 0; i < text->size(); ++i) {
    const auto byte = static_cast<unsigned char>((*text)[i]);
    if ((byte < 0x20 && byte != '\n') || byte == 0x7f) std::abort();
    // U+0080 to U+009F move cursors too.
    if (byte == 0xc2 && static_cast<unsigned char>((*text)[i + 1]) < 0xa0) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view told(reinterpret_cast<const char*>(bytes), size);
  require_printable(exa::status_table(told));
  require_printable(exa::services_table(told, told, {}));
  require_printable(exa::explanation_text(told, {}));
  return 0;
}
