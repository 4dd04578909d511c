// Collects the trace context of one request from its headers, in the order they come.
// Pure, any thread, no allocation. Owned by the parser of one request head.
//
// Each propagator's headers stand for themselves. A malformed one, or a second one of a name,
// spoils its own context only, and the next propagator's counts. One whose value was not seen
// leaves all unknown, unless one before it is valid: a wrong link is worse than none. A context
// without a trace or without a caller (a decision to sample alone, a trace that a load balancer
// began) is none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/trace/context/context_headers.h"
#include "agent/trace/context/traceparent.h"
#include "exa/model/trace_context.h"

namespace exa {

// In the order in which one of them outweighs another.
enum class ContextState : std::uint8_t {
  kAbsent,
  kInvalid,  // a context header that breaks the rules, or two of them
  kUnknown,  // a context was there, and what it says was not seen
  kValid,
};

class ContextReader {
 public:
  ContextReader() : ContextReader(kNoHeaders) {}  // reads none
  // headers outlive it.
  explicit ContextReader(const ContextHeaders& headers) : headers_(&headers) {}

  [[nodiscard]] bool reads(std::string_view name) const { return headers_->find(name) != nullptr; }

  // True if the header (its name in any case) belongs to a propagator that is read.
  bool on_header(std::string_view name, std::string_view value);

  // A header folded over several lines. The fold itself is obsolete and its meaning differs from
  // server to server, so what it would say is unknown.
  bool on_folded_header(std::string_view name);

  // A header whose value was not seen.
  bool on_unknown_value(std::string_view name);

  // There may be headers that were not seen at all.
  void on_missing_headers() { headers_missing_ = true; }

  [[nodiscard]] ContextState state() const { return best().state; }
  [[nodiscard]] std::optional<TraceContext> context() const;

  // R of tracestate ot=rv; nothing unless the context is valid, and W3C's.
  [[nodiscard]] std::optional<std::uint64_t> randomness() const;
  [[nodiscard]] bool tracestate_kept() const;  // a valid one was there, of the context that counts

 private:
  struct Best {
    ContextState state = ContextState::kAbsent;
    ContextSource source = ContextSource::kW3c;
  };
  static constexpr ContextHeaders kNoHeaders{};

  // False if it is the second one of its name.
  bool note(const ContextHeaderRow& row);
  [[nodiscard]] bool seen(ContextHeader header) const;
  [[nodiscard]] TraceContext& context_of(ContextSource source) {
    return slots_[static_cast<std::size_t>(source)].context;
  }
  [[nodiscard]] const TraceContext& context_of(ContextSource source) const {
    return slots_[static_cast<std::size_t>(source)].context;
  }
  [[nodiscard]] ContextState state_of(ContextSource source) const;
  [[nodiscard]] Best best() const;

  // Begun with the first header of its source. Every head would pay for all, and most have at most
  // one.
  union Slot {
    Slot() {}
    TraceContext context;
  };

  const ContextHeaders* headers_;
  TracestateReader tracestate_;
  std::array<Slot, kContextSources> slots_;  // by source
  std::uint16_t seen_ = 0;                   // by header
  std::uint8_t begun_ = 0;                   // by source
  std::uint8_t broken_ = 0;                  // by source
  std::uint8_t unknown_ = 0;                 // by source
  bool headers_missing_ = false;
};

}  // namespace exa
