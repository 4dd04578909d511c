#include "agent/run/prober/tls_probes.h"

namespace exa {

std::vector<kernel::TlsProbe> tls_probes(const AttachPlan& plan) {
  std::vector<kernel::TlsProbe> probes;
  for (const ProbeSite& site : plan.sites)
    probes.push_back(
        {.kind = site.probe(), .shape = site.shape(), .file_offset = site.file_offset});
  return probes;
}

}  // namespace exa
