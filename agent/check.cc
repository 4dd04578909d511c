#include "agent/check.h"

#include <algorithm>
#include <cstdio>
#include <string>

#include "agent/cli.h"
#include "agent/kernel/features.h"

namespace exa {

int check_host() {
  const auto features = kernel::probe_kernel_features();
  std::printf("Linux %s, lockdown: %s\n\n", features.release.c_str(), features.lockdown.c_str());
  std::size_t width = 0;
  for (const auto& feature : features.features)
    width = std::max(width, feature.name.size());
  for (const auto& feature : features.features) {
    const char* const state = feature.present ? "yes" : feature.required ? "NO" : "no";
    std::printf("  %-3s  %-*s%s%s\n", state, feature.present ? 0 : static_cast<int>(width),
                std::string(feature.name).c_str(), feature.present ? "" : "  ",
                feature.present ? "" : std::string(feature.cost_of_lack).c_str());
  }
  std::printf("\n%s\n", features.rung_sentence.c_str());
  if (!features.can_run()) {
    std::printf("The agent cannot run here:\n%s\n", features.refusal().c_str());
    return kExitFailure;
  }
  std::puts("The agent can run here.");
  return kExitOk;
}

}  // namespace exa
