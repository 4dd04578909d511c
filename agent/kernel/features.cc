#include "agent/kernel/features.h"

#include <linux/bpf.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "agent/kernel/handles.h"
#include "agent/kernel/kernel_types.h"

namespace exa::kernel {
namespace {

struct Capabilities {
  std::uint64_t effective = 0;
  [[nodiscard]] bool has(int capability) const { return effective >> capability & 1; }
};

Capabilities current_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return {};
  return {sets[0].effective | static_cast<std::uint64_t>(sets[1].effective) << 32};
}

// Since Linux 7 a tracepoint is guarded by SRCU of its own instead of by disabled preemption.
bool has_preemptible_tracepoints() {
  std::ifstream symbols("/proc/kallsyms");
  for (std::string line; std::getline(symbols, line);)
    if (line.ends_with(" tracepoint_srcu")) return true;
  return false;
}

// securityfs says "none [integrity] confidentiality", the brackets around the mode in force.
std::string read_lockdown() {
  std::string text;
  std::ifstream file("/sys/kernel/security/lockdown");
  if (!std::getline(file, text)) return "unknown";
  const auto open = text.find('[');
  const auto close = text.find(']', open);
  if (open == std::string::npos || close == std::string::npos) return "unknown";
  return text.substr(open + 1, close - open - 1);
}

Rung choose_rung(const KernelTypes& types) {
  Rung first_offered = Rung::kNone;
  for (const RungRow& row : rungs()) {
    if (!row.is_offered(types)) continue;
    if (row.open) return row.rung;
    if (first_offered == Rung::kNone) first_offered = row.rung;
  }
  return first_offered;
}

std::string describe(Rung rung) {
  if (is_built(rung))
    return "capture by " + std::string(rung_name(rung)) + ", state in socket storage";
  if (rung == Rung::kNone) return "this kernel offers no way to see the bytes of sockets";
  return "this kernel could be observed by " + std::string(rung_name(rung)) +
         ", which this build does not contain";
}

}  // namespace

bool KernelFeatures::has(FeatureId id) const {
  return std::any_of(features.begin(), features.end(),
                     [&](const Feature& feature) { return feature.id == id && feature.present; });
}

bool KernelFeatures::can_run() const {
  return is_built(rung) &&
         std::none_of(features.begin(), features.end(),
                      [](const Feature& feature) { return feature.required && !feature.present; });
}

std::string KernelFeatures::refusal() const {
  std::string text;
  for (const Feature& feature : features) {
    if (!feature.required || feature.present) continue;
    if (!text.empty()) text += ' ';
    text += std::string(feature.name) + " is missing: " + std::string(feature.cost_of_lack);
  }
  if (!is_built(rung)) text += (text.empty() ? "" : " ") + rung_sentence + ".";
  return text;
}

std::uint32_t pid_namespace_inode() {
  constexpr ino_t kHost = 0xEFFFFFFC;  // PROC_PID_INIT_INO of the kernel
  struct stat own{};
  if (::stat("/proc/self/ns/pid", &own) != 0 || own.st_ino == kHost) return 0;
  return static_cast<std::uint32_t>(own.st_ino);
}

KernelFeatures probe_kernel_features() {
  KernelFeatures found;
  utsname name{};
  if (::uname(&name) == 0) found.release = name.release;
  found.lockdown = read_lockdown();

  const KernelTypes types;
  const Capabilities capabilities = current_capabilities();
  const bool administrator = capabilities.has(CAP_SYS_ADMIN);
  const bool may_load = capabilities.has(CAP_BPF) || administrator;
  const auto add = [&](FeatureId id, std::string_view title, bool present, bool required,
                       std::string_view cost_of_lack) {
    found.features.push_back({id, title, present, required, cost_of_lack});
  };

  add(FeatureId::kBtf, "kernel type information (BTF)", types.known(), true,
      "the programs cannot be fitted to this kernel; it must be built with CONFIG_DEBUG_INFO_BTF "
      "and /sys/kernel/btf/vmlinux be readable.");
  found.rung = choose_rung(types);
  found.rung_sentence = describe(found.rung);
  for (const RungRow& row : rungs())
    if (row.open)
      add(FeatureId::kRung, row.needs, row.is_offered(types), !is_built(found.rung),
          row.cost_of_lack);
  add(FeatureId::kSocketState, "tracepoint inet_sock_set_state",
      types.has_tracepoint("inet_sock_set_state"), true,
      "the end of connections cannot be seen; Linux 4.16 or newer is needed.");
  // The map probes create a map, which needs the capability; without it only BTF can tell.
  add(FeatureId::kRingBuffer, "BPF ring buffer",
      may_load ? libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, nullptr) == 1
               : types.has_function("ringbuf_map_alloc"),
      true, "events cannot reach the agent; Linux 5.8 or newer is needed.");
  add(FeatureId::kSocketStorage, "BPF socket storage",
      may_load ? libbpf_probe_bpf_map_type(BPF_MAP_TYPE_SK_STORAGE, nullptr) == 1
               : types.has_function("bpf_sk_storage_free"),
      true, "connections cannot be followed; Linux 5.8 with CONFIG_NET is needed.");
  add(FeatureId::kArrival, "tracepoint sk_data_ready", types.has_tracepoint("sk_data_ready"), false,
      "the time a request waits in its socket stays unknown.");
  add(FeatureId::kSocketDestroy, "tracepoint tcp_destroy_sock",
      types.has_tracepoint("tcp_destroy_sock"), false,
      "connections reset with unread bytes end only when they are forgotten.");
  add(FeatureId::kResend, "tracepoint tcp_retransmit_skb",
      types.has_tracepoint("tcp_retransmit_skb"), false,
      "an answer that did not arrive looks like one that did.");
  add(FeatureId::kDelivered, "tracepoint tcp_probe", types.has_tracepoint("tcp_probe"), false,
      "when an answer was acknowledged stays unknown.");
  add(FeatureId::kProcessEvents, "tracepoints sched_process_exec and sched_process_exit",
      types.has_tracepoint("sched_process_exec") && types.has_tracepoint("sched_process_exit"),
      true, "a process that ends or changes its program cannot be told from its successor.");
  // Since Linux 7 an element has a state of its own and loses its owner while the iterator shows
  // it: the kernel crashes when a socket is freed just then.
  add(FeatureId::kSweep, "safe iterator over socket storage",
      types.has_function("bpf_iter_bpf_sk_storage_map") &&
          !types.has_member("bpf_local_storage_elem", "state"),
      false, "sockets whose bodies move on are noted with each call, which costs a little more.");
  add(FeatureId::kUprobeMulti, "uprobe_multi links",
      types.has_attach_type("BPF_TRACE_UPROBE_MULTI"), false,
      "TLS cannot be read; Linux 6.6 or newer is needed.");
  add(FeatureId::kProbeGuard, "programs on probes that are not preempted",
      (types.has_function("bpf_preempt_disable") && types.has_function("bpf_preempt_enable")) ||
          !types.has_member("bpf_prog_aux", "jits_use_priv_stack"),
      false,
      "TLS cannot be read: threads that preempt one another in such a program would overwrite "
      "each other's variables, and the kernel could crash.");
  add(FeatureId::kThreadLook, "programs that look at threads",
      types.has_function("bpf_task_from_pid"), false,
      "without exemplars.why_exact, spans do not say what a thread slept on; Linux 6.10 or newer "
      "is "
      "needed.");
  add(FeatureId::kThreadSleeps, "tracepoint sched_switch", types.has_tracepoint("sched_switch"),
      false, "exemplars.why_exact does not say what a thread slept on.");
  add(FeatureId::kUserReads, "reading user memory (no lockdown=confidentiality)",
      found.lockdown != "confidentiality", true,
      "the kernel refuses every look at captured bytes; boot with lockdown=integrity or none.");
  add(FeatureId::kCapabilityBpf, "capability BPF", may_load, true,
      "programs cannot be loaded; run as root or grant CAP_BPF.");
  add(FeatureId::kCapabilityPerfmon, "capability PERFMON",
      capabilities.has(CAP_PERFMON) || administrator, true,
      "tracing programs cannot be loaded; run as root or grant CAP_PERFMON.");
  add(FeatureId::kCapabilityPtrace, "capability SYS_PTRACE", capabilities.has(CAP_SYS_PTRACE),
      false,
      "the environment and executable of other users' processes cannot be read: services "
      "are named by their process name.");
  add(FeatureId::kCapabilityReadSearch, "capability DAC_READ_SEARCH",
      capabilities.has(CAP_DAC_READ_SEARCH), false,
      "executables and libraries that only their owner may read cannot be looked at.");
  add(FeatureId::kCapabilityRestore, "capability CHECKPOINT_RESTORE",
      capabilities.has(CAP_CHECKPOINT_RESTORE) || administrator, false,
      "deleted executables of running processes cannot be looked at.");

  found.preempts_tracepoints = has_preemptible_tracepoints();
  return found;
}

}  // namespace exa::kernel
