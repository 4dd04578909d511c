#include "agent/trace/context/context_reader.h"

#include "exa/base/ascii.h"

namespace exa {
namespace {

const ContextHeaderRow* row_of(std::string_view name) {
  if (name.size() > 63 || (kContextHeaderLengths >> name.size() & 1) == 0) return nullptr;
  for (const auto& row : kPropagators)
    if (equals_ignoring_case(name, row.name)) return &row;
  return nullptr;
}

}  // namespace

bool ContextReader::on_header(std::string_view name, std::string_view value) {
  const auto* row = row_of(name);
  if (row == nullptr) return false;
  read(row->header, value);
  return true;
}

bool ContextReader::on_folded_header(std::string_view name) {
  const auto* row = row_of(name);
  if (row == nullptr) return false;
  switch (row->header) {
    case ContextHeader::kTraceparent:
      context_ = {};
      traceparents_ += 1;
      break;
    case ContextHeader::kTracestate:
      tracestate_.drop();
      break;
  }
  return true;
}

void ContextReader::read(ContextHeader header, std::string_view value) {
  switch (header) {
    case ContextHeader::kTraceparent:
      context_ =
          ++traceparents_ == 1 ? parse_traceparent(value).value_or(TraceContext{}) : TraceContext{};
      break;
    case ContextHeader::kTracestate:
      tracestate_.read(value);
      break;
  }
}

ContextState ContextReader::state() const {
  if (traceparents_ == 0) return ContextState::kAbsent;
  return traceparents_ == 1 && context_.valid() ? ContextState::kValid : ContextState::kInvalid;
}

std::optional<TraceContext> ContextReader::context() const {
  if (state() != ContextState::kValid) return std::nullopt;
  return context_;
}

std::optional<std::uint64_t> ContextReader::randomness() const {
  if (state() != ContextState::kValid) return std::nullopt;
  return tracestate_.randomness();
}

bool ContextReader::tracestate_kept() const {
  return state() == ContextState::kValid && tracestate_.valid() && tracestate_.members() > 0;
}

}  // namespace exa
