#include "agent/privilege/capabilities.h"

#include <cap-ng.h>
#include <linux/capability.h>
#include <sys/prctl.h>

#include <array>
#include <cerrno>

namespace exa {
namespace {

struct Row {
  CapabilityName name;
  unsigned number;
  const char* text;
  bool required;
  const char* cost;
};

constexpr std::array<Row, 5> kProberSet = {{
    {CapabilityName::kBpf, CAP_BPF, "CAP_BPF", true, "no BPF program can be loaded"},
    {CapabilityName::kPerfmon, CAP_PERFMON, "CAP_PERFMON", true,
     "no BPF program can be attached to the kernel's tracepoints"},
    {CapabilityName::kSysPtrace, CAP_SYS_PTRACE, "CAP_SYS_PTRACE", false,
     "other users' executables and environments are unknown: service names come from comm"},
    {CapabilityName::kDacReadSearch, CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", false,
     "other users' files cannot be read: some processes remain unnamed"},
    {CapabilityName::kCheckpointRestore, CAP_CHECKPOINT_RESTORE, "CAP_CHECKPOINT_RESTORE", false,
     "mapped files of processes cannot be opened through /proc"},
}};

constexpr auto kHeld = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED);

}  // namespace

std::vector<CapabilityState> capability_states() {
  capng_clear(CAPNG_SELECT_ALL);
  capng_get_caps_process();
  std::vector<CapabilityState> states;
  for (const auto& row : kProberSet)
    states.push_back({row.name, row.text, capng_have_capability(CAPNG_EFFECTIVE, row.number) == 1,
                      row.required, row.cost});
  return states;
}

Result<> keep_prober_capabilities() {
  capng_clear(CAPNG_SELECT_ALL);
  if (capng_get_caps_process() != 0) return fail("cannot read the capabilities of this process");
  std::array<bool, kProberSet.size()> present{};
  for (std::size_t i = 0; i < kProberSet.size(); ++i)
    present[i] = capng_have_capability(CAPNG_PERMITTED, kProberSet[i].number) == 1;
  const bool may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 1;
  capng_clear(CAPNG_SELECT_ALL);
  for (std::size_t i = 0; i < kProberSet.size(); ++i) {
    if (!present[i]) continue;
    capng_update(CAPNG_ADD, kHeld, kProberSet[i].number);
    capng_update(CAPNG_ADD, CAPNG_BOUNDING_SET, kProberSet[i].number);
  }
  if (may_bound && capng_apply(CAPNG_SELECT_BOUNDS) != 0)
    return fail("cannot reduce the capability bounding set");
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return fail("cannot reduce the capabilities");
  return {};
}

void empty_bounding_set() {
  for (unsigned capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

Result<> drop_all_capabilities() {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  capng_clear(CAPNG_SELECT_CAPS);
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return fail("cannot drop the capabilities");
  capng_clear(CAPNG_SELECT_ALL);
  if (capng_get_caps_process() != 0 || capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
    return fail("capabilities remain after they were dropped");
  return {};
}

}  // namespace exa
