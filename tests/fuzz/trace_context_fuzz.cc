// Headers of trace contexts. What is accepted must be valid; a traceparent writes back to the same
// text; and the first propagator whose context was sent decides, whether it could be read or not.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ranges>
#include <string>
#include <string_view>

#include "agent/trace/context/context_reader.h"
#include "tests/support/all_propagators.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// One line of the input: a header, a folded one, one whose value was not seen, or a gap.
void read_line(std::string_view line, exa::ContextReader& reader) {
  const auto colon = line.find(':');
  if (line.starts_with('?')) {
    reader.on_unknown_value(line.substr(1));
  } else if (line == "!") {
    reader.on_missing_headers();
  } else if (colon == line.npos) {
    reader.on_folded_header(line);
  } else {
    reader.on_header(line.substr(0, colon), line.substr(colon + 1));
  }
}

void check_traceparent(std::string_view value) {
  const auto context = exa::parse_traceparent(value);
  if (!context) return;
  const auto ids = exa::to_hex(context->trace_id) + "-" + exa::to_hex(context->parent);
  require(context->valid() && value.find(ids) != value.npos);
}

exa::ContextReader read(std::string_view input, const exa::ContextHeaders& headers) {
  exa::ContextReader reader(headers);
  while (!input.empty()) {
    const auto line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(input.size(), line.size() + 1));
    read_line(line, reader);
    check_traceparent(line.substr(line.find(':') + 1));
  }
  if (const auto context = reader.context()) require(context->valid());
  if (const auto randomness = reader.randomness())
    require(reader.context() && *randomness >> 56 == 0);
  require(reader.context().has_value() == (reader.state() == exa::ContextState::kValid));
  return reader;
}

}  // namespace

// Input: headers, one a line, name and value parted by ':'.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static const exa::ContextHeaders kAll(exa::kAllPropagators);
  const auto all = read(input, kAll);
  auto state = exa::ContextState::kAbsent;
  for (const auto propagator : exa::kAllPropagators.all() | std::views::reverse) {
    const exa::ContextHeaders headers({propagator});
    const auto one = read(input, headers);
    state = std::max(state, one.state());
    if (state == exa::ContextState::kUnknown) break;
    if (!one.context()) continue;
    require(all.context()->trace_id == one.context()->trace_id);
    require(all.context()->parent == one.context()->parent);
    break;
  }
  require(all.state() == state);
  return 0;
}
