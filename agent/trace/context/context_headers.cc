#include "agent/trace/context/context_headers.h"

#include <algorithm>
#include <ranges>

#include "agent/trace/context/b3.h"
#include "agent/trace/context/datadog.h"
#include "agent/trace/context/jaeger.h"
#include "agent/trace/context/traceparent.h"
#include "agent/trace/context/xray.h"

namespace exa {
namespace {

using Header = ContextHeader;
using Source = ContextSource;

constexpr std::array<ContextHeaderRow, kContextHeaders> kRows = {{
    {"traceparent", Header::kTraceparent, Source::kW3c, true, read_traceparent},
    {"tracestate", Header::kTracestate, Source::kW3c, false, nullptr},
    {"b3", Header::kB3, Source::kB3Single, true, read_b3},
    {"x-b3-traceid", Header::kB3TraceId, Source::kB3Multi, true, read_b3_trace_id},
    {"x-b3-spanid", Header::kB3SpanId, Source::kB3Multi, true, read_b3_span_id},
    {"x-b3-sampled", Header::kB3Sampled, Source::kB3Multi, false, read_b3_sampled},
    {"x-b3-flags", Header::kB3Flags, Source::kB3Multi, false, read_b3_flags},
    {"uber-trace-id", Header::kUberTraceId, Source::kJaeger, true, read_uber_trace_id},
    {"x-amzn-trace-id", Header::kAmznTraceId, Source::kXray, true, read_amzn_trace_id},
    {"x-datadog-trace-id", Header::kDatadogTraceId, Source::kDatadog, true, read_datadog_trace_id},
    {"x-datadog-parent-id", Header::kDatadogParentId, Source::kDatadog, true,
     read_datadog_parent_id},
    {"x-datadog-sampling-priority", Header::kDatadogSamplingPriority, Source::kDatadog, false,
     read_datadog_sampling_priority},
    {"x-datadog-tags", Header::kDatadogTags, Source::kDatadog, true, read_datadog_tags},
}};

}  // namespace

ContextHeaders::ContextHeaders(const PropagatorList& propagators) {
  for (const auto propagator : propagators.all() | std::views::reverse) {
    switch (propagator) {
      case Propagator::kW3c:
        add(Source::kW3c);
        break;
      case Propagator::kB3:
        // Whichever of the two a peer is set to write, and the single one before the others.
        add(Source::kB3Single);
        add(Source::kB3Multi);
        break;
      case Propagator::kJaeger:
        add(Source::kJaeger);
        break;
      case Propagator::kXray:
        add(Source::kXray);
        break;
      case Propagator::kDatadog:
        add(Source::kDatadog);
        break;
    }
  }
}

void ContextHeaders::add(ContextSource source) {
  sources_[source_count_++] = source;
  for (const auto& row : kRows) {
    if (row.source != source) continue;
    rows_[row_count_++] = row;
    lengths_ |= std::uint64_t{1} << row.name.size();
  }
}

bool is_context_header(std::string_view name) {
  return std::ranges::find(kRows, name, &ContextHeaderRow::name) != kRows.end();
}

}  // namespace exa
