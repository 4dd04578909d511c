// The two header values of W3C Trace Context Level 2. Pure, any thread, no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "exa/model/trace_context.h"

namespace exa {

inline constexpr std::size_t kTraceparentBytes = 55;  // of version 00

// Spaces and tabs around the value are tolerated, everything else is exact: lower-case hex, no zero
// ids, version 00 of 55 characters, a higher one of at least 55 and then '-'.
std::optional<TraceContext> parse_traceparent(std::string_view value);

// The same, as the table of headers wants it: false if it is malformed.
bool read_traceparent(std::string_view value, TraceContext& context);

inline constexpr int kMaxTracestateMembers = 32;

// One tracestate header, or several joined in order. Valid until a member breaks the grammar or
// the count; then the whole state is dropped.
class TracestateReader {
 public:
  void read(std::string_view value);
  void drop() { valid_ = false; }

  [[nodiscard]] bool valid() const { return valid_; }
  [[nodiscard]] int members() const { return members_; }

  // The 56 random bits of member ot=rv:<14 hex digits>, if the state is valid and has them.
  [[nodiscard]] std::optional<std::uint64_t> randomness() const;

 private:
  bool read_member(std::string_view member);

  int members_ = 0;
  bool valid_ = true;
  bool ot_seen_ = false;
  bool has_randomness_ = false;
  std::uint64_t randomness_ = 0;
};

}  // namespace exa
