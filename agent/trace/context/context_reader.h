// Collects the trace context of one request from its headers, in the order they come.
// Pure, any thread, no allocation. Owned by the parser of one request head.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/trace/context/propagators.h"
#include "agent/trace/context/traceparent.h"
#include "exa/model/trace_context.h"

namespace exa {

enum class ContextState : std::uint8_t {
  kAbsent,
  kInvalid,  // a context header that breaks the rules, or two of them
  kValid,
};

class ContextReader {
 public:
  // True if the header (its name in any case) belongs to a propagator.
  bool on_header(std::string_view name, std::string_view value);

  // A header folded over several lines. The fold itself is obsolete and its meaning differs from
  // server to server, so what it would say is unknown.
  bool on_folded_header(std::string_view name);

  [[nodiscard]] ContextState state() const;
  [[nodiscard]] std::optional<TraceContext> context() const;

  // R of tracestate ot=rv; nothing unless the context is valid.
  [[nodiscard]] std::optional<std::uint64_t> randomness() const;
  [[nodiscard]] bool tracestate_kept() const;  // a valid one was there

 private:
  void read(ContextHeader header, std::string_view value);

  TraceContext context_;
  int traceparents_ = 0;
  TracestateReader tracestate_;
};

}  // namespace exa
