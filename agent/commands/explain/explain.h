// The verb `explain`: what was slow and what failed in the running agent's last window, and why.
#pragma once

#include <cstdint>

namespace exa {

struct Config;

enum class ExplainForm : std::uint8_t { kText, kJson };

// The exit code.
int print_explanation(const Config& config, ExplainForm form);

}  // namespace exa
