// The plan of a file as the reader that read it passes it on. Pure. The reader parsed foreign
// bytes: what it says is decoded as theirs, bounded and checked.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "agent/discovery/tls/attach_plan.h"

namespace exa {

inline constexpr std::size_t kMaxPlanMessageBytes = 8 * 1024;

std::vector<std::byte> encode_plan(const AttachPlan& plan);
std::optional<AttachPlan> decode_plan(std::span<const std::byte> bytes);

}  // namespace exa
