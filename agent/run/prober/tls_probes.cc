#include "agent/run/prober/tls_probes.h"

namespace exa {
namespace {

std::vector<kernel::TlsProbe> probes_of(const AttachPlan& plan, bool of_tables) {
  std::vector<kernel::TlsProbe> probes;
  for (const ProbeSite& site : plan.sites)
    if (site.tells_table() == of_tables)
      probes.push_back(
          {.kind = site.probe(), .shape = site.shape(), .file_offset = site.file_offset});
  return probes;
}

}  // namespace

std::vector<kernel::TlsProbe> tls_probes(const AttachPlan& plan) {
  return probes_of(plan, false);
}

std::vector<kernel::TlsProbe> table_probes(const AttachPlan& plan) {
  return probes_of(plan, true);
}

}  // namespace exa
