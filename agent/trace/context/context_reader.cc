#include "agent/trace/context/context_reader.h"

#include <memory>

namespace exa {
namespace {

static_assert(kContextHeaders <= 16 && kContextSources <= 8);

constexpr std::uint16_t bit_of(ContextHeader header) {
  return static_cast<std::uint16_t>(1U << static_cast<unsigned>(header));
}

constexpr std::uint8_t bit_of(ContextSource source) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(source));
}

}  // namespace

bool ContextReader::note(const ContextHeaderRow& row) {
  const auto header = bit_of(row.header);
  const auto source = bit_of(row.source);
  if ((begun_ & source) == 0) {
    std::construct_at(&context_of(row.source));
    begun_ |= source;
  }
  const bool first = (seen_ & header) == 0;
  seen_ |= header;
  if (!first) broken_ |= source;
  return first;
}

bool ContextReader::on_header(std::string_view name, std::string_view value) {
  const auto* row = headers_->find(name);
  if (row == nullptr) return false;
  if (row->read == nullptr) {
    tracestate_.read(value);
  } else if (note(*row) && !row->read(value, context_of(row->source))) {
    broken_ |= bit_of(row->source);
  }
  return true;
}

bool ContextReader::on_folded_header(std::string_view name) {
  const auto* row = headers_->find(name);
  if (row == nullptr) return false;
  if (row->read == nullptr) {
    tracestate_.drop();
  } else {
    note(*row);
    broken_ |= bit_of(row->source);
  }
  return true;
}

bool ContextReader::on_unknown_value(std::string_view name) {
  const auto* row = headers_->find(name);
  if (row == nullptr) return false;
  if (row->read == nullptr) {
    tracestate_.drop();
  } else if (note(*row) && row->identifies) {
    unknown_ |= bit_of(row->source);
  }
  return true;
}

bool ContextReader::seen(ContextHeader header) const {
  return (seen_ & bit_of(header)) != 0;
}

ContextState ContextReader::state_of(ContextSource source) const {
  const auto bit = bit_of(source);
  if ((broken_ & bit) != 0) return ContextState::kInvalid;
  if ((unknown_ & bit) != 0) return ContextState::kUnknown;
  if (source == ContextSource::kDatadog) {
    // Half of an id is another id.
    if (!seen(ContextHeader::kDatadogTraceId)) return ContextState::kAbsent;
    if (headers_missing_ && !seen(ContextHeader::kDatadogTags)) return ContextState::kUnknown;
  }
  const bool valid = (begun_ & bit) != 0 && context_of(source).valid();
  return valid ? ContextState::kValid : ContextState::kAbsent;
}

ContextReader::Best ContextReader::best() const {
  Best best;
  if (begun_ == 0) return best;
  for (const auto source : headers_->sources()) {
    const auto state = state_of(source);
    if (state > best.state) best = {state, source};
    // What was not seen may be valid, and then another link would be a wrong one.
    if (state >= ContextState::kUnknown) break;
  }
  return best;
}

std::optional<TraceContext> ContextReader::context() const {
  const auto [state, source] = best();
  if (state != ContextState::kValid) return std::nullopt;
  return context_of(source);
}

std::optional<std::uint64_t> ContextReader::randomness() const {
  const auto [state, source] = best();
  if (state != ContextState::kValid || source != ContextSource::kW3c) return std::nullopt;
  return tracestate_.randomness();
}

bool ContextReader::tracestate_kept() const {
  const auto [state, source] = best();
  return state == ContextState::kValid && source == ContextSource::kW3c && tracestate_.valid() &&
         tracestate_.members() > 0;
}

}  // namespace exa
