// Headers of trace contexts. What is accepted must be valid and write back to the same text.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/trace/context/context_reader.h"

// Input: headers, one a line, name and value parted by ':'.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  exa::ContextReader reader;
  while (!input.empty()) {
    const auto line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(input.size(), line.size() + 1));
    const auto colon = line.find(':');
    if (colon == line.npos) {
      reader.on_folded_header(line);
      continue;
    }
    const auto value = line.substr(colon + 1);
    reader.on_header(line.substr(0, colon), value);
    if (const auto context = exa::parse_traceparent(value)) {
      const auto ids = exa::to_hex(context->trace_id) + "-" + exa::to_hex(context->parent);
      if (!context->valid() || value.find(ids) == value.npos) std::abort();
    }
  }
  if (reader.context() && !reader.context()->valid()) std::abort();
  if (reader.randomness() && (!reader.context() || *reader.randomness() >> 56 != 0)) std::abort();
  return 0;
}
